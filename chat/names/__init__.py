"""Names that people type: cleaned for the eye, told apart, turned into the keys of rooms. Pure."""

"""Names that people type: cleaned, compared, turned into room keys. Pure."""

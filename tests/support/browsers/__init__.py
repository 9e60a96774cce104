"""People in real browsers, and what is measured there."""

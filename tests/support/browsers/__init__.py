"""People in real browsers, and measurements of their pages."""

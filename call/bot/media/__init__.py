"""Media of a participant in Python: sources, relays and recordings."""

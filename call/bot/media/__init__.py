"""Pictures and sound of a participant in Python: made, relayed, recorded."""

"""Calls of rooms: signalling, relays, and a participant in Python."""

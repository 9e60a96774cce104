"""The call of a room: signalling, relays, and a participant in Python. Imports chat."""

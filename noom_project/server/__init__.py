"""The server process: daphne, with all patches of it."""

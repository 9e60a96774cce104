"""A participant in Python, over the real sockets: for demos and tests. Imports protocols alone."""

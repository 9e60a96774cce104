"""A participant in Python, over real sockets; imports only the protocols.

Demos and tests use it.
"""

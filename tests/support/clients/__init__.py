"""Clients of a server: sockets, forms, crowds."""

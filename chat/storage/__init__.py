"""Queries and writes to the database, and the threads that run them."""

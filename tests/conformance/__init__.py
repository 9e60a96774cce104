"""Checks of Noom by programs of others."""

"""Targets, figures, and the report of them."""

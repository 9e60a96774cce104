"""Attacks of strangers and guests (S1 to S23): each target with its figure."""

"""Faults around a server (R, C and D): each target with its figure."""

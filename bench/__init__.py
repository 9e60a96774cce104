"""Measurements of Noom beside its peers, in one run on one machine."""

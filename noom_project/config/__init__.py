"""Settings from the environment: read, checked, and their secrets hidden."""

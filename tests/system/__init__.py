"""Real processes, without a browser."""

"""/healthz, /readyz, /metrics and the log."""

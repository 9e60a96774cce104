"""The server process: daphne with limits, keepalive and graceful shutdown; all of its patches."""

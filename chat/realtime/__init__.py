"""Sockets and processes: connections, fan-out, channel layers, rate limits. Knows no rooms."""

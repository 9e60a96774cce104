"""Connections, fan-out, channel layers, rate limits and budgets. Knows no rooms."""

"""Presence: leases in memory or in Redis, rosters and heartbeats."""

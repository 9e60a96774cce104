"""Who is where: leases in memory or in Redis, rosters, heartbeats."""

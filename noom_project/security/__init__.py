"""Origins, response headers, admin logins, and what was refused."""

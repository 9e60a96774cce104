"""A database backend with a deadline for every answer of PostgreSQL."""

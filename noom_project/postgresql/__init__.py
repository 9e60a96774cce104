"""A database backend that gives up on a PostgreSQL which does not answer."""

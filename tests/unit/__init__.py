"""No process, no socket, no database."""

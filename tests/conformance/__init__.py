"""What programs of others think of Noom."""

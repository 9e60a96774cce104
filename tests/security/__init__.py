"""What strangers and guests try (S1 to S23): each bar with its figure."""

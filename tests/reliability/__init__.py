"""What fails around a server (R, C and D): each bar with its figure."""

"""Real servers, and what stands before them and behind them."""

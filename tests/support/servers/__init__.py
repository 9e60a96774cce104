"""Real servers, the proxies before them, and the databases behind them."""

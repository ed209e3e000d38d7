"""Commands about door events and the members behind them."""

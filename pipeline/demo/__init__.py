"""The simulated gym of the demo."""

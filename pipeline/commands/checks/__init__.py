"""Commands that check, and repair."""

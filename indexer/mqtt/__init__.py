"""Messages from the broker."""

"""Door messages to access events."""

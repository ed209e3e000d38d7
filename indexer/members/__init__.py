"""Members from a list."""

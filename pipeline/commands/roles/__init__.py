"""Commands that run a role in the foreground."""

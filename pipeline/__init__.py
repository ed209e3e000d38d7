"""The `tallenne` command: configuration, supervision, wiring."""

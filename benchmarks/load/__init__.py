"""Load generators: each runs apart from what it loads, and is itself measured."""

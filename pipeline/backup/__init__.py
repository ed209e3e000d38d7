"""Restoration of a whole installation, and the drill that tries it."""

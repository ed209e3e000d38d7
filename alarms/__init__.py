"""Conditions that a person must hear of, and the messages about them."""

"""Conditions that the operator must know about, and the messages about them."""

"""Masks every face and every person in a clip, irreversibly: see README.md."""

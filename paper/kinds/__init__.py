"""A module for each paper: facts in, sections out."""

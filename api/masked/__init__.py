"""Copies in which everyone is masked: made by the masking process, kept in memory until they are fetched."""

"""The record of looks, and who may read it."""

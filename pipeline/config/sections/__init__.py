"""Sections of the configuration that stand by themselves, and what every section is made of."""

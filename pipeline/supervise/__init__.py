"""Keeps the roles running as processes of their own."""

"""Passwords, second factors, throttling, accounts."""

"""Signing in, sessions, rights, scope and purpose."""

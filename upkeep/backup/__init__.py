"""Backups of the database and of the files that no bucket holds; their restoration, and the drill."""

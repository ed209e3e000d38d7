"""Bookmarks: what staff note about a moment of footage. They end with that footage."""

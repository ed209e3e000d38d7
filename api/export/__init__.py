"""Exports: asked for, approved where they must be, hashed in the background, streamed when they are fetched."""

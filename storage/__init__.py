"""Footage and facts at rest: sealed format, keys, object store client, MP4, catalogue, access."""

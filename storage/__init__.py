"""Sealing, keys, spool, object store, catalogue."""

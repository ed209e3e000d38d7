"""Holds: footage that a case keeps past its retention, by a key of its own; restrictions, which also close it."""

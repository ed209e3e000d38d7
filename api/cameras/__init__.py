"""Cameras as staff see them: the list, a clip, a thumbnail."""

"""`tallenne paper`."""

"""Camera models: what real cameras do, one entry each, and the worlds they are tried in."""

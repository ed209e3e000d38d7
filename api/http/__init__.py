"""HTTP itself: the server, its limits, answers, ranges, streams."""

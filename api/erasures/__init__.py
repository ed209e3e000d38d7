"""Early erasure: one person orders, another decides, and everybody concerned sees what goes and what keeps it."""

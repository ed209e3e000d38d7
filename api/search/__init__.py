"""Finding members, events and footage by time."""

"""Papers from the configuration, and the record of what was published."""

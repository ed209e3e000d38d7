"""The channels: mail, a signed webhook, and the dead-man's signal."""

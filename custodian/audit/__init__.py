"""The audit chain: what is on record, signed so that a change shows."""

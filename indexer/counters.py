"""Counters of the role since its start."""

from __future__ import annotations

from dataclasses import asdict, dataclass


@dataclass(slots=True)
class Counters:
    received: int = 0  # messages taken from the inbox
    committed: int = 0  # new events
    duplicates: int = 0
    ignored: int = 0  # understood, and no event
    quarantined: int = 0  # new rows
    quarantine_repeats: int = 0
    quarantine_overflow: int = 0  # lost: the quarantine is full
    tags: int = 0  # written
    superseded: int = 0  # tags taken out of force
    joined: int = 0  # outbox rows

    def as_json(self) -> dict[str, int]:
        """For the status file."""
        return asdict(self)

"""Footage that is kept for longer than it may be, as custodian and keeper report it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from alarms.conditions import Condition, Kind
from alarms.watch.roles import known

LATE_S: Final = 3600.0
_KEYS: Final = "The keys of footage that is over were to be destroyed"
_OBJECTS: Final = "Footage that is unreadable was to be deleted"
_EXPLAINED: Final = frozenset({Kind.DATABASE, Kind.STORE, Kind.ROLE, Kind.RESTARTS})


def overdue(statuses: Sequence[Mapping[str, Any]]) -> Iterator[Condition]:
    """Conditions now: what is held, at once; what is late, after an hour."""
    for status in known(statuses, "custodian"):
        retention = status.get("retention", {})
        held = retention.get("held")
        if held is not None:
            yield Condition(kind=Kind.RETENTION, subject="held", what=held["what"], remedy=held["remedy"])
        elif retention.get("overdue_s", 0) >= LATE_S:
            yield _late("keys", _KEYS, retention["overdue_s"], "custodian")
    for status in known(statuses, "keeper"):
        if status.get("overdue_s", 0) >= LATE_S:
            yield _late("objects", _OBJECTS, status["overdue_s"], "keeper")


def _late(subject: str, what: str, late_s: float, role: str) -> Condition:
    return Condition(
        kind=Kind.RETENTION,
        subject=subject,
        what=f"{what} {late_s / 3600:.0f} h ago.",
        remedy=f"`tallenne retention status` says more; look into logs/{role}.log.",
        explained_by=_EXPLAINED,
    )

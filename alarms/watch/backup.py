"""Backups that are late, drills that are, or that failed, and a replica of the footage that falls behind."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from alarms.conditions import Condition, Kind
from alarms.watch.roles import known
from domain.time import DAY_NS, HOUR_NS, MINUTE_NS

LATE_NS: Final = 15 * MINUTE_NS
"""A round is two minutes; a store that is away for a moment does not matter."""
FIRST_NS: Final = 6 * HOUR_NS
REPLICA_NS: Final = 24 * HOUR_NS
_EXPLAINED: Final = frozenset({Kind.DATABASE, Kind.STORE, Kind.ROLE, Kind.RESTARTS})
_LOG: Final = "`tallenne status` says what hinders it; look into logs/backup.log."
_DRILL: Final = "Run `tallenne backup drill` and read what it says."


def late_backups(statuses: Sequence[Mapping[str, Any]], now_ns: int) -> Iterator[Condition]:
    """Conditions now."""
    for status in known(statuses, "backup"):
        since_ns = status.get("since_ns", now_ns)
        yield from _backup(status, now_ns, since_ns)
        yield from _drill(status, now_ns, since_ns)
        replica = status.get("replica")
        if replica and now_ns - max(replica["last_ns"], since_ns) > REPLICA_NS:
            yield _condition("replica", "The second bucket lacks footage of more than a day ago.", _LOG)


def _backup(status: Mapping[str, Any], now_ns: int, since_ns: int) -> Iterator[Condition]:
    last_ns, base_ns = status.get("last_ns", 0), status.get("base_ns", 0)
    if not last_ns:
        if now_ns - since_ns > FIRST_NS:
            yield _condition("log", "There is no whole backup yet.", _LOG)
    elif now_ns - last_ns > LATE_NS:
        yield _condition("log", f"The last backup is {_age(now_ns - last_ns)} old.", _LOG)
    elif now_ns - base_ns > 3 * status.get("base_h", 24) * HOUR_NS:
        yield _condition("base", f"The last whole copy of the database is {_age(now_ns - base_ns)} old.", _LOG)


def _drill(status: Mapping[str, Any], now_ns: int, since_ns: int) -> Iterator[Condition]:
    tried_ns, good_ns = status.get("drill_ns", 0), status.get("good_drill_ns", 0)
    if tried_ns and not status.get("drill_ok", True):
        yield _condition("drill", "The last trial of a backup failed.", _DRILL)
    elif now_ns - (good_ns or since_ns) > 2 * status.get("drill_d", 30) * DAY_NS:
        yield _condition("drill", f"No backup was tried for {_age(now_ns - (good_ns or since_ns))}.", _DRILL)


def _condition(subject: str, what: str, remedy: str) -> Condition:
    return Condition(kind=Kind.BACKUP, subject=subject, what=what, remedy=remedy, explained_by=_EXPLAINED)


def _age(span_ns: int) -> str:
    if span_ns >= 2 * DAY_NS:
        return f"{span_ns // DAY_NS} days"
    return f"{span_ns // HOUR_NS} h" if span_ns >= 2 * HOUR_NS else f"{span_ns // MINUTE_NS} minutes"

"""Watches for roles that are silent, dead or missing, and for repeated restarts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from alarms.conditions import Condition, Kind
from alarms.watch.rates import Happenings
from runtime.status import NOT_KNOWN, name_of

WINDOW_S: Final = 900.0
START_S: Final = 120.0
UP: Final = "up"
_REPORTED_BY_ALL: Final = frozenset({Kind.PROBLEM})
UNKNOWN_WITHOUT: Final[Mapping[str, frozenset[Kind]]] = {
    "ingest": frozenset({Kind.CAMERA, Kind.SPOOL, Kind.SPOOL_FULL, Kind.KEYS}) | _REPORTED_BY_ALL,
    "index": frozenset({Kind.BROKER, Kind.QUARANTINE, Kind.DOOR}) | _REPORTED_BY_ALL,
    "serve": frozenset({Kind.DATABASE, Kind.STORE, Kind.ACCOUNT}) | _REPORTED_BY_ALL,
    "custodian": frozenset({Kind.RETENTION}) | _REPORTED_BY_ALL,
    "keeper": frozenset({Kind.RETENTION}) | _REPORTED_BY_ALL,
    "backup": frozenset({Kind.BACKUP}) | _REPORTED_BY_ALL,
}
"""The kinds that are unknown while a role is silent."""


def known(statuses: Sequence[Mapping[str, Any]], role: str) -> list[Mapping[str, Any]]:
    """Return the current statuses of a role's instances."""
    return [one for one in statuses if one.get("role") == role and one.get("state") not in NOT_KNOWN]


def silent_roles(statuses: Sequence[Mapping[str, Any]], expected: Sequence[str]) -> Iterator[Condition]:
    """Yield a condition for each silent process, and for each expected role without a process."""
    explained = frozenset({Kind.READ_ONLY, Kind.DISK_FULL})  # then no status can be written, or no role started
    for one in statuses:
        if one.get("state") in NOT_KNOWN:
            name = name_of(one)
            how = "has died" if one["state"] == "dead" else "does not answer"
            yield Condition(
                kind=Kind.ROLE,
                subject=name,
                what=f"The role {name} {how}.",
                remedy=f"`tallenne up` starts it again; if that does not help, look into logs/{name.split()[0]}.log.",
                explained_by=explained,
            )
    present = {one.get("role") for one in statuses}
    for role in expected:
        if role not in present:
            what, remedy = f"The role {role} does not run.", "Start it, or `tallenne up`."
            yield Condition(kind=Kind.ROLE, subject=role, what=what, remedy=remedy, explained_by=explained)


def unknown_kinds(statuses: Sequence[Mapping[str, Any]], expected: Sequence[str]) -> frozenset[Kind]:
    """Of which kinds nothing can be concluded, since a role that reports them is silent, or has only just started."""
    missing = {
        one["role"] for one in statuses if one.get("state") in (*NOT_KNOWN, "starting", "stopping") and "role" in one
    }
    missing |= {role for role in expected if not known(statuses, role)}
    return frozenset().union(*(UNKNOWN_WITHOUT.get(role, frozenset()) for role in missing))


class StartWatch:
    """Roles that have been starting for longer than any start takes. Remembers since when."""

    def __init__(self) -> None:
        self._since_s: dict[str, float] = {}

    def look(self, mono_s: float, statuses: Sequence[Mapping[str, Any]]) -> Iterator[Condition]:
        """Conditions now."""
        starting = {name_of(one) for one in statuses if one.get("state") == "starting"}
        self._since_s = {name: self._since_s.get(name, mono_s) for name in starting}
        for name, since_s in self._since_s.items():
            if mono_s - since_s >= START_S:
                yield Condition(
                    kind=Kind.ROLE,
                    subject=name,
                    what=f"The role {name} does not get ready.",
                    remedy="`tallenne status` says what it waits for.",
                    explained_by=frozenset({Kind.DATABASE, Kind.STORE, Kind.BROKER, Kind.RESTARTS, Kind.READ_ONLY}),
                )


class RestartWatch:
    """Counts starts: as `tallenne up` reports them; where there is none, by the process ids of the status files."""

    def __init__(self, limit: int) -> None:
        """``limit``: so many within ``WINDOW_S`` are a condition."""
        self._limit = limit
        self._counts: dict[str, Happenings] = {}
        self._pids: dict[str, tuple[int, int]] = {}  # the last one, and how often it changed

    def look(self, mono_s: float, statuses: Sequence[Mapping[str, Any]]) -> Iterator[Condition]:
        """Conditions now."""
        reported = _reported(statuses)
        if not reported:
            reported = {name_of(one): self._changes(one) for one in statuses if "pid" in one}
        for name, count in reported.items():
            lately = self._counts.setdefault(name, Happenings(window_s=WINDOW_S)).add(mono_s, count)
            if lately >= self._limit:
                yield Condition(
                    kind=Kind.RESTARTS,
                    subject=name,
                    what=f"{name[0].upper()}{name[1:]} starts again and again.",
                    remedy=f"Look into logs/{name.split()[0]}.log for what ends it.",
                    explained_by=frozenset({Kind.READ_ONLY, Kind.DISK_FULL}),
                )

    def _changes(self, status: Mapping[str, Any]) -> int:
        name, pid = name_of(status), int(status["pid"])
        before, count = self._pids.get(name, (pid, 0))
        count += before != pid
        self._pids[name] = (pid, count)
        return count


def _reported(statuses: Sequence[Mapping[str, Any]]) -> dict[str, int]:
    found: dict[str, int] = {}
    for status in known(statuses, UP):
        for group in ("roles", "services"):
            for name, one in status.get(group, {}).items():
                found[str(name)] = int(one.get("restarts", 0))
    return found

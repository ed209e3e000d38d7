"""Watches database, store and broker by their users' reports; quarantine, doors, and other reported problems."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from alarms.conditions import Condition, Kind
from alarms.settings import WatchSettings
from alarms.watch.rates import Happenings
from alarms.watch.roles import UP, known
from alarms.watch.snapshot import Snapshot
from domain.time import NS
from runtime.status import name_of

_HOUR_S: Final = 3600.0
DOOR_FACTOR: Final = 1.5
"""A door is silent when it is so for this many times its longest usual pause."""
_BROKEN_DISK: Final = frozenset({Kind.READ_ONLY, Kind.DISK_FULL})
_PARTS: Final = {"database": Kind.DATABASE, "store": Kind.STORE, "broker": Kind.BROKER}
_WORDS: Final = {
    Kind.DATABASE: ("The database does not answer.", "Check that PostgreSQL runs and is reachable: logs/database.log."),
    Kind.STORE: ("The object store does not answer.", "Check that it runs and is reachable: logs/store.log."),
    Kind.BROKER: ("The MQTT broker does not answer.", "Check that it runs and is reachable: logs/broker.log."),
}
_TOLD_ELSEWHERE: Final = frozenset({*_PARTS, "clock", "clock step", "custodian", "retention"})
OF_UP: Final = frozenset({"topics", "taken over"})
"""Topics of `tallenne up`: discarded door messages, sessions taken over. Its other problems have their own kinds."""
AUDIT: Final = "audit"
"""Topic under which the custodian reports audit entries, or signed heads, that are missing or were changed."""
_SECOND_HAND: Final = frozenset(
    {Kind.DATABASE, Kind.STORE, Kind.BROKER, Kind.ROLE, Kind.RESTARTS, Kind.SPOOL_FULL, *_BROKEN_DISK}
)


class ServiceWatch:
    """Remembers how fast the quarantine grows."""

    def __init__(self, settings: WatchSettings) -> None:
        self._settings = settings
        self._quarantined: dict[str, Happenings] = {}

    def look(self, snapshot: Snapshot) -> Iterator[Condition]:
        """Conditions now."""
        statuses = snapshot.statuses
        for kind in sorted(_away(statuses)):
            what, remedy = _WORDS[kind]
            yield Condition(kind=kind, what=what, remedy=remedy, explained_by=_BROKEN_DISK)
        for status in known(statuses, "index"):
            yield from self._quarantine(snapshot.mono_s, status)
            yield from self._doors(snapshot.now_ns, status)
        for status in known(statuses, "serve"):
            yield from _accounts(status)
            yield from _requests(status)
        yield from _problems(statuses)

    def _quarantine(self, mono_s: float, status: Mapping[str, Any]) -> Iterator[Condition]:
        name = name_of(status)
        growth = self._quarantined.setdefault(name, Happenings(window_s=_HOUR_S))
        lately = growth.add(mono_s, status.get("quarantined", 0) + status.get("quarantine_repeats", 0))
        if lately >= self._settings.quarantine_per_h:
            yield Condition(
                kind=Kind.QUARANTINE,
                subject=name,
                what=f"{lately} door messages could not be decoded within an hour.",
                remedy="Look at `tallenne quarantine list`: a door is misconfigured, or its format has changed.",
            )

    def _doors(self, now_ns: int, status: Mapping[str, Any]) -> Iterator[Condition]:
        for door_id, door in status.get("doors", {}).items():
            hours, limit = (now_ns - door["last_ns"]) / NS / 3600, self._silence_h(door)
            if limit is not None and hours >= limit:
                yield Condition(
                    kind=Kind.DOOR,
                    subject=door_id,
                    what=f"Door {door['name']} has reported nothing for {hours:.0f} h.",
                    remedy="Try the door; check its controller and that controller's connection to the broker.",
                    explained_by=frozenset({Kind.BROKER, Kind.DATABASE, Kind.ROLE}),
                )

    def _silence_h(self, door: Mapping[str, Any]) -> float | None:
        """How long the door may be silent; None: that is not known."""
        if self._settings.door_silent_h is not None:
            return self._settings.door_silent_h
        usual_s = door.get("longest_pause_s")
        return None if usual_s is None else DOOR_FACTOR * float(usual_s) / _HOUR_S


def _accounts(status: Mapping[str, Any]) -> Iterator[Condition]:
    """No name: messages carry none. The page Users and the audit trail have them."""
    count = int(status.get("accounts_set_up", 0))
    if count:
        what = f"Administrators set up {count} staff account{'s' * (count > 1)} (new, or another password or factor)"
        yield Condition(
            kind=Kind.ACCOUNT,
            what=f"{what} within 24 hours.",
            remedy="If this is unexpected: see the page Users and the audit trail, and disable the account.",
        )


def _requests(status: Mapping[str, Any]) -> Iterator[Condition]:
    """No name, as above. The law gives a month (GDPR 12, 3)."""
    count = int(status.get("requests_due", 0))
    if count:
        yield Condition(
            kind=Kind.REQUEST,
            what=f"{count} member request{'s are' if count > 1 else ' is'} due within a week, or late.",
            remedy="Answer on the page Requests; within the first month it can be extended once, with the reason.",
        )


def _away(statuses: Sequence[Mapping[str, Any]]) -> set[Kind]:
    found: set[Kind] = set()
    for status in statuses:
        parts = status.get("parts", {}) | {
            name: service.get("state") != "failing" for name, service in status.get("services", {}).items()
        }
        found |= {_PARTS[name] for name, answers in parts.items() if name in _PARTS and not answers}
        topics = {problem.get("topic") for problem in status.get("problems", ())}
        found |= {kind for name, kind in _PARTS.items() if name in topics}
    if any(status.get("subscribed") is False and status["state"] == "degraded" for status in known(statuses, "index")):
        found.add(Kind.BROKER)
    return found


def _problems(statuses: Sequence[Mapping[str, Any]]) -> Iterator[Condition]:
    """What a role reports and no other kind covers. A camera's own errors, without a topic, are its condition's."""
    for status in statuses:
        if not known([status], str(status.get("role"))):
            continue
        for problem in status.get("problems", ()):
            topic = problem.get("topic")
            if topic is None or not _told_here(str(status["role"]), topic):
                continue
            name = name_of(status)
            kind = Kind.AUDIT if topic == AUDIT else Kind.PROBLEM
            yield Condition(
                kind=kind,
                subject=f"{name}: {topic}",
                what=f"{name}: {problem['what']}",
                remedy=problem["remedy"],
                explained_by=frozenset() if kind is Kind.AUDIT else _SECOND_HAND,
            )


def _told_here(role: str, topic: str) -> bool:
    if role == "notify":
        return False  # that nothing can be sent cannot be sent either
    if role == UP:
        return topic in OF_UP
    return topic not in _TOLD_ELSEWHERE and not topic.startswith("camera ")

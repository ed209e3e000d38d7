"""Waiting and sent notices. Pure; kept by state/journal.py.

A *target* is one recipient: a mail address, the webhook. Each gets the notices in order, one at a time; one that does
not answer is tried again after a back-off, which holds for the target and survives a restart. A message that a target
refuses for good does not keep the next ones back.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Final

from alarms.state.notice import Notice, notice_of
from domain.time import DAY_NS, seconds_to_ns
from runtime.backoff import Backoff

WAITING_MAX: Final = 200
"""More notices than these: the oldest are given up, and counted."""
FINISHED_MAX: Final = 50
"""So many are remembered for `tallenne alarms`."""
GIVE_UP_NS: Final = 3 * DAY_NS
REFUSALS_MAX: Final = 3
FIRST_S: Final = 5.0
LONGEST_S: Final = 300.0


@dataclass(slots=True, kw_only=True)
class Entry:
    """A notice and its delivery, by target."""

    notice: Notice
    waiting: dict[str, int]  # how often it was refused
    sent_ns: dict[str, int] = field(default_factory=dict)
    given_up: dict[str, str] = field(default_factory=dict)  # why


@dataclass(slots=True, kw_only=True)
class Target:
    """The delivery to one target."""

    backoff: Backoff = field(default_factory=lambda: Backoff(first_s=FIRST_S, longest_s=LONGEST_S))
    next_ns: int = 0  # not before
    last_error: str = ""


class Outbox:
    """Bounded. ``as_json()`` and ``saved``: kept across restarts."""

    def __init__(self, saved: dict[str, Any] | None = None) -> None:
        """KeyError, TypeError, ValueError when ``saved`` is of no ``as_json()``."""
        self.entries: list[Entry] = []
        self.targets: dict[str, Target] = {}
        self.given_up = 0  # messages, since the first start
        if saved is not None:
            self._restore(saved)

    def aim(self, targets: Iterable[str]) -> None:
        """Set the targets; notices that wait for others are dropped."""
        self.targets = {name: self.targets.get(name, Target()) for name in targets}
        for entry in self.entries:
            entry.waiting = {name: count for name, count in entry.waiting.items() if name in self.targets}
        self._trim()

    def put(self, notice: Notice) -> None:
        """Queue a notice for all targets. It is remembered even without any."""
        self.entries.append(Entry(notice=notice, waiting=dict.fromkeys(self.targets, 0)))
        self._trim()

    def next(self, target: str, now_ns: int) -> Notice | None:
        """Return the notice to send to this target now; None: none is due."""
        at_ns = self.targets[target].next_ns
        if now_ns < at_ns <= now_ns + seconds_to_ns(LONGEST_S):  # further off: this machine's clock was set back
            return None
        return next((entry.notice for entry in self.entries if target in entry.waiting), None)

    def delivered(self, target: str, notice_id: str, now_ns: int) -> None:
        """The target has acknowledged it."""
        entry = self._entry(target, notice_id)
        if entry is not None:
            del entry.waiting[target]
            entry.sent_ns[target] = now_ns
        state = self.targets[target]
        state.backoff.reset()
        state.next_ns, state.last_error = 0, ""
        self._trim()

    def failed(self, target: str, notice_id: str, now_ns: int, error: str, *, refused: bool) -> None:
        """Note a failed attempt. ``refused``: the target will never accept the notice."""
        state = self.targets[target]
        state.last_error = error
        state.next_ns = now_ns + seconds_to_ns(state.backoff.pause_s())
        entry = self._entry(target, notice_id)
        if entry is None:
            return
        entry.waiting[target] += refused
        if entry.waiting[target] >= REFUSALS_MAX or now_ns - entry.notice.at_ns > GIVE_UP_NS:
            self._give_up(entry, target, error)
        self._trim()

    def waiting(self) -> int:
        """Messages that have not reached their target."""
        return sum(len(entry.waiting) for entry in self.entries)

    def _entry(self, target: str, notice_id: str) -> Entry | None:
        found = (one for one in self.entries if one.notice.notice_id == notice_id and target in one.waiting)
        return next(found, None)

    def _give_up(self, entry: Entry, target: str, why: str) -> None:
        del entry.waiting[target]
        entry.given_up[target] = why
        self.given_up += 1

    def _trim(self) -> None:
        busy = [entry for entry in self.entries if entry.waiting]
        for entry in busy[: max(0, len(busy) - WAITING_MAX)]:
            for target in list(entry.waiting):
                self._give_up(entry, target, "too many messages wait")
        finished = [entry for entry in self.entries if not entry.waiting]
        old = {id(entry) for entry in finished[:-FINISHED_MAX]}
        self.entries = [entry for entry in self.entries if id(entry) not in old]

    def as_json(self) -> dict[str, Any]:
        """All of it."""
        return {
            "given_up": self.given_up,
            "entries": [
                {
                    "notice": entry.notice.as_json(),
                    "waiting": entry.waiting,
                    "sent_ns": entry.sent_ns,
                    "given_up": entry.given_up,
                }
                for entry in self.entries
            ],
            "targets": {
                name: {"failures": state.backoff.failures, "next_ns": state.next_ns, "last_error": state.last_error}
                for name, state in self.targets.items()
            },
        }

    def _restore(self, saved: dict[str, Any]) -> None:
        self.given_up = int(saved["given_up"])
        self.entries = [Entry(**{**entry, "notice": notice_of(entry["notice"])}) for entry in saved["entries"]]
        for name, state in saved["targets"].items():
            target = Target(next_ns=state["next_ns"], last_error=state["last_error"])
            target.backoff.failures = int(state["failures"])
            self.targets[name] = target

"""Turns looks into notices: raises conditions, groups them into incidents, and ends these. Pure.

A condition is *pending* until it has lasted for its kind's delay, then *raised*, and *cleared* once it has been gone
for the hold time; until then it is shown as over. How long it has lasted is counted as a leaky bucket: presence fills
it, absence drains it at the same rate, so that a camera which comes back for a moment every minute is raised all the
same, and as one condition.

Conditions raised together are an *incident*: one notice when it begins, reminders, one when all of it is cleared.

- What was wrong when an incident's notice went out, though not yet for long enough, is listed in it and joins silently.
- What another condition explains is not raised while that lasts; its time counts from when the cause is gone.
- Two notices of new conditions are at least ``group_s`` apart: what becomes due meanwhile shares the next.
- Of what cannot be seen at present (``Seen.unknown``) nothing is concluded: raised stays raised.

Time is counted by the steps between looks, at most ``STEP_MAX_NS`` each: neither a step of the clock nor an hour in
without a look makes a condition last.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Final

from alarms.conditions import Condition, Key, Kind, Seen
from alarms.settings import RuleSettings
from alarms.state.notice import Change, Line, Notice, line_of
from domain.time import NS, seconds_to_ns

STEP_MAX_NS: Final = 10 * NS
FLAPPING_NS: Final = 3600 * NS
"""What is raised again so soon after its all-clear is held twice as long as the last time, ``DOUBLINGS_MAX`` times."""
DOUBLINGS_MAX: Final = 5
LISTED_MAX: Final = 50  # of each list of a notice
_KEPT: Final = ("since_ns", "lasted_ns", "gone_ns", "raised_ns", "hold_ns")  # of a condition, across restarts


@dataclass(slots=True, kw_only=True)
class Watched:
    """A condition and its history. ``raised_ns`` None: pending."""

    condition: Condition
    since_ns: int
    lasted_ns: int = 0  # as the leaky bucket counts
    gone_ns: int = 0  # since it was last seen
    raised_ns: int | None = None
    hold_ns: int = 0  # how long it must be gone
    present: bool = True
    explained: bool = False

    def over_since_ns(self, now_ns: int) -> int | None:
        """Since when it is not seen any more, though not yet for so long that it counts as cleared; None: it lasts."""
        return None if self.present or not self.gone_ns else now_ns - self.gone_ns

    def line(self) -> Line:
        """As notices list it."""
        one = self.condition
        return Line(kind=one.kind, subject=one.subject, what=one.what, remedy=one.remedy, since_ns=self.since_ns)


@dataclass(slots=True, kw_only=True)
class _Incident:
    incident_id: str
    told_ns: int  # the last notice
    notices: int = 1
    lines: dict[Key, Line] = field(default_factory=dict)  # every condition that was ever raised in it
    also: set[Key] = field(default_factory=set)  # listed in its first notice, not raised yet


class Incidents:
    """``push()`` each look. Not for concurrent use."""

    def __init__(self, rules: RuleSettings, new_id: Callable[[], str], saved: dict[str, Any] | None = None) -> None:
        """``saved``: of an earlier ``as_json()``; KeyError, TypeError, ValueError when it is none."""
        self._rules = rules
        self._new_id = new_id
        self._pushed_ns: int | None = None
        self._watched: dict[Key, Watched] = {}
        self._open: list[_Incident] = []
        self._told_ns: int | None = None  # the last notice of new conditions
        self._cleared: dict[Key, tuple[int, int]] = {}  # lately: when, and how often in a row
        if saved is not None:
            self._restore(saved)

    def push(self, now_ns: int, seen: Seen) -> list[Notice]:
        """Return the notices to send after this look, in order. ``now_ns``: UTC."""
        step_ns = 0 if self._pushed_ns is None else min(max(0, now_ns - self._pushed_ns), STEP_MAX_NS)
        self._pushed_ns = now_ns
        self._look(now_ns, seen)
        self._explain()
        for key, one in list(self._watched.items()):
            self._count(key, one, step_ns, unknown=key[0] in seen.unknown)
        cleared = self._clear(now_ns)
        return [*cleared, *self._raise(now_ns), *self._remind(now_ns)]

    def raised(self) -> list[Watched]:
        """Now, the oldest first."""
        found = (one for one in self._watched.values() if one.raised_ns is not None)
        return sorted(found, key=lambda one: one.since_ns)

    # -- Conditions

    def _look(self, now_ns: int, seen: Seen) -> None:
        for one in self._watched.values():
            one.present = False
        for condition in seen.conditions:
            known = self._watched.get(condition.key)
            if known is None:
                self._watched[condition.key] = Watched(condition=condition, since_ns=now_ns)
            else:
                known.condition, known.present, known.gone_ns = condition, True, 0

    def _explain(self) -> None:
        lasting = {key for key, one in self._watched.items() if one.present or one.raised_ns is not None}
        kinds = {kind for kind, _ in lasting}
        for one in self._watched.values():
            by = one.condition.explained_by
            one.explained = bool(by & lasting or by & kinds)

    def _count(self, key: Key, one: Watched, step_ns: int, *, unknown: bool) -> None:
        if one.present:
            one.lasted_ns += 0 if one.explained else step_ns
        elif unknown:
            return
        elif one.raised_ns is not None:
            one.gone_ns += step_ns
        else:
            one.lasted_ns -= step_ns
            if one.lasted_ns <= 0:
                self._forget(key)

    def _forget(self, key: Key) -> None:
        del self._watched[key]
        for incident in self._open:
            incident.also.discard(key)

    # -- Incidents

    def _clear(self, now_ns: int) -> list[Notice]:
        self._cleared = {key: last for key, last in self._cleared.items() if now_ns - last[0] < FLAPPING_NS}
        for key, one in list(self._watched.items()):
            if one.raised_ns is not None and not one.present and one.gone_ns >= one.hold_ns:
                self._forget(key)
                self._cleared[key] = (now_ns, self._cleared.get(key, (0, 0))[1] + 1)
                for incident in self._open:
                    if key in incident.lines:
                        incident.lines[key] = replace(one.line(), cleared_ns=now_ns - one.gone_ns)
        over = [incident for incident in self._open if not self._lasting(incident)]
        self._open = [incident for incident in self._open if incident not in over]
        return [self._notice(incident, Change.CLEARED, now_ns) for incident in over]

    def _lasting(self, incident: _Incident) -> bool:
        return any(line.cleared_ns is None for line in incident.lines.values())

    def _raise(self, now_ns: int) -> list[Notice]:
        due = [one for one in self._watched.values() if self._is_due(one)]
        fresh = [one for one in due if not self._joined(one, now_ns)]
        told_ns = self._told_ns
        grouping = told_ns is not None and 0 <= now_ns - told_ns < seconds_to_ns(self._rules.group_s)
        if not fresh or grouping:
            return []
        self._told_ns = now_ns
        incident = _Incident(incident_id=self._new_id(), told_ns=now_ns, notices=0)
        self._open.append(incident)
        for one in fresh:
            self._mark_raised(one, now_ns)
            incident.lines[one.condition.key] = one.line()
        waiting = [one for one in self._watched.values() if one.present and one.raised_ns is None]
        also = [one for one in waiting if not one.explained]
        incident.also = {one.condition.key for one in also}
        follows = [one.line() for one in waiting if one.explained]
        return [self._notice(incident, Change.RAISED, now_ns, [one.line() for one in also], follows)]

    def _is_due(self, one: Watched) -> bool:
        delay_ns = seconds_to_ns(self._rules.delays_s[one.condition.kind])
        return one.present and one.raised_ns is None and not one.explained and one.lasted_ns >= delay_ns

    def _joined(self, one: Watched, now_ns: int) -> bool:
        """Whether the condition belongs to an incident that a message has announced, or recurs in it."""
        key = one.condition.key
        for incident in self._open:
            if key in incident.also or key in incident.lines:
                incident.also.discard(key)
                incident.lines[key] = one.line()
                self._mark_raised(one, now_ns)
                return True
        return False

    def _mark_raised(self, one: Watched, now_ns: int) -> None:
        times = self._cleared.get(one.condition.key, (0, 0))[1]
        one.raised_ns = now_ns
        one.hold_ns = seconds_to_ns(self._rules.hold_s) << min(times, DOUBLINGS_MAX)

    def _remind(self, now_ns: int) -> list[Notice]:
        after_ns = seconds_to_ns(self._rules.remind_h * 3600)
        due = [incident for incident in self._open if now_ns - incident.told_ns >= after_ns]
        return [self._notice(incident, Change.REMINDER, now_ns) for incident in due]

    def _notice(
        self, incident: _Incident, change: Change, now_ns: int, also: Iterable[Line] = (), follows: Iterable[Line] = ()
    ) -> Notice:
        incident.told_ns = now_ns
        incident.notices += 1
        for key, line in incident.lines.items():
            if line.cleared_ns is None:  # figures in its text may have changed
                incident.lines[key] = self._watched[key].line()
        found = [self._as_it_is(key, line, now_ns) for key, line in incident.lines.items()]
        lines = sorted(found, key=lambda line: (line.cleared_ns is not None, line.since_ns))
        return Notice(
            notice_id=f"{incident.incident_id}.{incident.notices}",
            change=change,
            incident=incident.incident_id,
            at_ns=now_ns,
            since_ns=min(line.since_ns for line in lines),
            lines=tuple(lines[:LISTED_MAX]),
            also=tuple(list(also)[:LISTED_MAX]),
            follows=tuple(list(follows)[:LISTED_MAX]),
        )

    def _as_it_is(self, key: Key, line: Line, now_ns: int) -> Line:
        """What is held is not said to last."""
        one = self._watched.get(key)
        held_ns = None if one is None or line.cleared_ns is not None else one.over_since_ns(now_ns)
        return line if held_ns is None else replace(line, cleared_ns=held_ns)

    # -- Kept across restarts

    def as_json(self) -> dict[str, Any]:
        """Return the state except what the next look repeats; constant while nothing is wrong."""
        return {
            "told_ns": self._told_ns,
            "cleared": [[*key, *last] for key, last in sorted(self._cleared.items())],
            "watched": [_saved(one) for one in self._watched.values()],
            "open": [
                {
                    "incident_id": incident.incident_id,
                    "told_ns": incident.told_ns,
                    "notices": incident.notices,
                    "lines": [asdict(line) for line in incident.lines.values()],
                    "also": [list(key) for key in sorted(incident.also)],
                }
                for incident in self._open
            ],
        }

    def _restore(self, saved: dict[str, Any]) -> None:
        self._told_ns = saved["told_ns"]
        self._cleared = {(Kind(kind), subject): (at_ns, times) for kind, subject, at_ns, times in saved["cleared"]}
        for one in saved["watched"]:
            line = line_of(one["line"])
            condition = Condition(kind=line.kind, subject=line.subject, what=line.what, remedy=line.remedy)
            times = {name: one[name] for name in _KEPT}
            self._watched[condition.key] = Watched(condition=condition, present=False, **times)
        for one in saved["open"]:
            lines = [line_of(line) for line in one["lines"]]
            self._open.append(
                _Incident(
                    incident_id=one["incident_id"],
                    told_ns=one["told_ns"],
                    notices=one["notices"],
                    lines={(line.kind, line.subject): line for line in lines},
                    also={(Kind(kind), subject) for kind, subject in one["also"]},
                )
            )


def _saved(one: Watched) -> dict[str, Any]:
    times = {name: getattr(one, name) for name in _KEPT}
    return {"line": asdict(one.line()), **times}

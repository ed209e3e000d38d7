"""How far each door controller's clock is off, as distinct from messages that merely arrive late. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from domain.access import SKEW_LIMIT_NS
from domain.time import NS, from_iso
from indexer.errors import ClockOffError

_SMOOTHING: Final = 8
_RUN: Final = 4
_RUN_APART_NS: Final = SKEW_LIMIT_NS
"""Delays that agree, so many in a row and received so far apart, are a slow clock. A queue that empties after an outage
brings agreeing delays too, but at once."""
UNSET_NS: Final = from_iso("2001-01-01T00:00:00Z")
"""Clocks that were never set, or whose battery ran empty, begin at 1970 or 2000."""
_DOORS_MAX: Final = 10_000
"""Made-up doors cannot fill the memory."""
_DAYS_FROM_H: Final = 48
KEPT_WITHIN_NS: Final = NS
"""An estimate moves with every event; it is written again once it has moved this far, or over the limit."""


@dataclass(slots=True, kw_only=True)
class Placed:
    """When an event is taken to have occurred, and whether that is uncertain."""

    occurred_ns: int
    uncertain: bool


@dataclass(slots=True)
class _Clock:
    skew_ns: int | None  # received - occurred of live events, smoothed; None: nothing live has been seen
    kept_ns: int | None = None  # what is written of it
    run: int = 0  # of delays beyond the limit
    run_low_ns: int = 0
    run_high_ns: int = 0
    run_received_ns: int = 0


class SkewTracker:
    """Doors by any hashable name.

    A delay (received - occurred) within the limit is live and measures the clock. A negative one beyond it is a fast
    clock: nothing arrives before it happens, so that the event is placed by what the clock is ahead, at the latest when
    it arrived. Events that come late shorten what is seen of a fast clock; it is less fast only when several in a row
    agree. A positive delay beyond the limit is either late (a lock that uploads later, a queue after an outage) or a
    slow clock: late while the clock was last seen right, slow when several in a row agree. Which of the two it is stays
    a guess: such an event keeps the controller's time. One of before 2001 is a clock that was never set, which the
    first event shows: it is placed by when it arrived.
    """

    def __init__(self, limit_ns: int = SKEW_LIMIT_NS) -> None:
        self._limit_ns = limit_ns
        self._clocks: dict[object, _Clock] = {}

    def know(self, door: object, skew_ns: int) -> None:
        """What an earlier run measured."""
        self._clocks[door] = _Clock(skew_ns, skew_ns)

    def observe(self, door: object, occurred_ns: int, received_ns: int, *, live: bool) -> Placed:
        """``occurred_ns``: by the controller's clock.

        live: False for what the broker kept or sent again: its delay says nothing of the clock.
        """
        clock = self._clocks.get(door) or _Clock(None)
        if len(self._clocks) < _DOORS_MAX:
            self._clocks[door] = clock
        delay_ns = received_ns - occurred_ns
        if occurred_ns < UNSET_NS:
            clock.skew_ns = delay_ns if live else clock.skew_ns
            return Placed(occurred_ns=received_ns, uncertain=True)
        if live:
            self._measure(clock, delay_ns, received_ns)
        if delay_ns < -self._limit_ns:
            ahead_ns = delay_ns if clock.skew_ns is None else min(delay_ns, clock.skew_ns)
            return Placed(occurred_ns=occurred_ns + ahead_ns, uncertain=True)
        off_ns = delay_ns if clock.skew_ns is None else abs(clock.skew_ns)
        return Placed(occurred_ns=occurred_ns, uncertain=off_ns > self._limit_ns)

    def skew_ns(self, door: object) -> int | None:
        """The present estimate; None before anything live was seen."""
        clock = self._clocks.get(door)
        return None if clock is None else clock.skew_ns

    def to_keep(self, door: object) -> int | None:
        """The present estimate, when it is worth writing; None when what is written will do."""
        clock = self._clocks.get(door)
        if clock is None or clock.skew_ns is None:
            return None
        if clock.kept_ns is not None and abs(clock.skew_ns - clock.kept_ns) < KEPT_WITHIN_NS:
            same_side = (abs(clock.skew_ns) > self._limit_ns) == (abs(clock.kept_ns) > self._limit_ns)
            return None if same_side else clock.skew_ns
        return clock.skew_ns

    def kept(self, door: object, skew_ns: int) -> None:
        """It is written."""
        if (clock := self._clocks.get(door)) is not None:
            clock.kept_ns = skew_ns

    def _measure(self, clock: _Clock, delay_ns: int, received_ns: int) -> None:
        known = clock.skew_ns
        if delay_ns > self._limit_ns or (known is not None and known + self._limit_ns < delay_ns < -self._limit_ns):
            self._count(clock, delay_ns, received_ns)
            if clock.run >= _RUN:
                clock.skew_ns = (clock.run_low_ns + clock.run_high_ns) // 2
            return
        clock.run = 0
        if known is None or abs(delay_ns - known) > self._limit_ns:
            clock.skew_ns = delay_ns
        else:
            clock.skew_ns = known + (delay_ns - known) // _SMOOTHING

    def _count(self, clock: _Clock, delay_ns: int, received_ns: int) -> None:
        """Extend the run of agreeing delays, or begin one."""
        low, high = min(clock.run_low_ns, delay_ns), max(clock.run_high_ns, delay_ns)
        if clock.run == 0 or high - low > self._limit_ns:
            low, high, clock.run, clock.run_received_ns = delay_ns, delay_ns, 1, received_ns
        elif received_ns - clock.run_received_ns >= _RUN_APART_NS:
            clock.run, clock.run_received_ns = clock.run + 1, received_ns
        clock.run_low_ns, clock.run_high_ns = low, high


def clocks_off(doors: int, worst: Sequence[tuple[str, int]]) -> ClockOffError | None:
    """What to say of ``doors`` whose clocks are off; ``worst``: some, by name and skew (received - occurred)."""
    if not doors:
        return None
    said = ", ".join(f"{name!r} {_off(skew_ns)}" for name, skew_ns in worst)
    more = f" and {doors - len(worst)} more" if doors > len(worst) else ""
    return ClockOffError(
        f"The clocks of door controllers are wrong: {said}{more}. The times of their events are uncertain.",
        "Set them by NTP, and let them send UTC or their offset (a whole number of hours is a time zone).",
    )


def _off(skew_ns: int) -> str:
    seconds = round(abs(skew_ns) / NS)
    hours = seconds / 3600
    off = f"{seconds} s" if hours < 1 else f"{hours:.1f} h" if hours < _DAYS_FROM_H else f"{hours / 24:.0f} days"
    return f"is {off} {'behind' if skew_ns > 0 else 'ahead'}"

"""Converts RTP timestamps (32 bits, at the description's rate) to a 90 kHz timeline that does not wrap."""

from __future__ import annotations

from typing import Final

from ingest.access_unit import TICKS_PER_S

RATE_MIN, RATE_MAX = 1_000, 10_000_000  # Hz; another rate in the description is ignored
_STAMPS: Final = 1 << 32
_HALF: Final = 1 << 31
_NONE: Final = -1


class Timeline:
    """The timeline of one track.

    ticks: 90 kHz, of the last picture
    newest_ticks: the latest of all pictures, since B-frames make times go back
    """

    __slots__ = ("_base_ticks", "_passed", "_rate_hz", "_stamp", "newest_ticks", "ticks")

    def __init__(self, rate_hz: int) -> None:
        self._rate_hz = rate_hz if RATE_MIN <= rate_hz <= RATE_MAX else TICKS_PER_S
        self._stamp = _NONE
        self._base_ticks = 0
        self._passed = 0  # since then, in the packets' own unit: rounded only once
        self.ticks = self.newest_ticks = 0

    def begin(self, stamp: int) -> None:
        """Begin with the first picture."""
        self.begin_at(stamp, stamp * TICKS_PER_S // self._rate_hz)

    def begin_at(self, stamp: int, ticks: int) -> None:
        """Continue with a picture of another source, which has another origin of time."""
        self._stamp, self._base_ticks, self._passed = stamp, ticks, 0
        self.ticks = ticks
        self.newest_ticks = max(self.newest_ticks, ticks)

    def advance(self, stamp: int) -> None:
        """Advance to a picture of the same source, at most half of the 32-bit range ahead or back."""
        delta = stamp - self._stamp & _STAMPS - 1
        self._stamp = stamp
        self._passed = passed = self._passed + (delta if delta < _HALF else delta - _STAMPS)
        if self._rate_hz != TICKS_PER_S:
            passed = passed * TICKS_PER_S // self._rate_hz
        self.ticks = ticks = self._base_ticks + passed
        if ticks > self.newest_ticks:
            self.newest_ticks = ticks

    def ticks_of(self, stamp: int) -> int | None:
        """Convert a timestamp near the last picture's; None before the first picture."""
        if self._stamp == _NONE:
            return None
        delta = stamp - self._stamp & _STAMPS - 1
        return self._base_ticks + (self._passed + delta - (delta >> 31 << 32)) * TICKS_PER_S // self._rate_hz

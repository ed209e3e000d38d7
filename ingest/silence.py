"""Detects that a connected camera has sent nothing to record for too long, unless this process itself stood still."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Final

PATIENCE_S: Final = 60.0  # at most, for a camera that sends a picture now and then
_INTERVALS: Final = 3
_STILL_S: Final = 1.25  # between two looks: this process stood still


class Silence:
    """Call ``look()`` a few times a second. It expires ``timeout`` when nothing was heard for ``longest_s``.

    A camera that sends a picture every few seconds gets three times the last interval.

    It has no timer of its own: a timer per camera woke the loop twice as often as reading all of them.

    passed_over: a counter of pictures that came but cannot be recorded yet: as long as it goes up, ``waiting_s`` counts
    """

    def __init__(
        self,
        timeout: asyncio.Timeout,
        passed_over: Callable[[], int],
        *,
        connecting_s: float,
        longest_s: float,
        waiting_s: float,
    ) -> None:
        """``connecting_s``: additional time for the first picture."""
        self._now_s = asyncio.get_running_loop().time
        self._timeout, self._passed_over = timeout, passed_over
        self._longest_s, self._waiting_s = longest_s, waiting_s
        self._looked_s = self._before_s = self._now_s()
        self._heard_s = self._seen_s = self._looked_s + connecting_s
        self._patience_s = longest_s
        self._passed = 0
        self.without_key = False  # pictures arrived all the time, but none with which decoding can begin

    def heard(self) -> None:
        """Account for a recorded picture."""
        now_s = self._now_s()
        self._patience_s = max(self._longest_s, min(PATIENCE_S, _INTERVALS * (now_s - self._before_s)))
        self._heard_s = self._seen_s = self._before_s = now_s

    def look(self) -> None:
        """Expire the timeout after too long a silence, not counting time in which this process stood still."""
        if self._timeout.when() is not None:
            return  # it has expired: the waiting task is leaving
        now_s = self._now_s()
        since_s, self._looked_s = now_s - self._looked_s, now_s
        if since_s > _STILL_S:
            self._heard_s += since_s
            self._seen_s += since_s
        passed = self._passed_over()
        if passed != self._passed:
            self._passed, self._seen_s = passed, now_s
        comes = now_s - self._seen_s <= self._longest_s
        if now_s - self._heard_s > (max(self._waiting_s, self._patience_s) if comes else self._patience_s):
            self.without_key = comes
            self._timeout.reschedule(now_s)

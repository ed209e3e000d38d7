"""When a connected camera has sent nothing to record for too long, as distinct from this process having stood still."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Final

_STILL_S: Final = 1.25  # between two looks: this process stood still


class Silence:
    """``look()`` a few times a second. Ends ``timeout``, by expiring, when nothing was heard for ``longest_s``.

    It has no timer of its own: one for each camera woke the loop up twice as often as reading them all.

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
        """``connecting_s``: more for the first."""
        self._loop = asyncio.get_running_loop()
        self._timeout, self._passed_over = timeout, passed_over
        self._longest_s, self._waiting_s = longest_s, waiting_s
        self._looked_s = self._loop.time()
        self._heard_s = self._seen_s = self._looked_s + connecting_s
        self._passed = 0
        self.without_key = False  # pictures came all the time, but none to begin with

    def heard(self) -> None:
        """Something was recorded."""
        self._heard_s = self._seen_s = self._loop.time()

    def look(self) -> None:
        """Expire the timeout after too long a silence. Time in which this process stood still does not count."""
        if self._timeout.when() is not None:
            return  # expired already: the waiting task is leaving
        now_s = self._loop.time()
        since_s, self._looked_s = now_s - self._looked_s, now_s
        if since_s > _STILL_S:
            self._heard_s += since_s
            self._seen_s += since_s
        passed = self._passed_over()
        if passed != self._passed:
            self._passed, self._seen_s = passed, now_s
        comes = now_s - self._seen_s <= self._longest_s
        if now_s - self._heard_s > (self._waiting_s if comes else self._longest_s):
            self.without_key = comes
            self._timeout.reschedule(now_s)

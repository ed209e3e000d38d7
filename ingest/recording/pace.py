"""Limits the rate of backlog uploads, so that catching up does not disturb live recording. Pure but for the clock."""

from __future__ import annotations

from collections.abc import Callable

_REST = 0.25  # of each upload's duration: catching up takes at most 80 % of the store's capacity


class Pace:
    """The pace of one worker: after each late upload it rests for a quarter of the upload's duration."""

    def __init__(self, clock_s: Callable[[], float]) -> None:
        self._clock_s = clock_s
        self._until_s = 0.0

    def wait_s(self) -> float:
        """Seconds until the next late upload may start; 0 or less: now."""
        return self._until_s - self._clock_s()

    def took(self, seconds: float) -> None:
        """Account for a late upload of this duration."""
        self._until_s = max(self._until_s, self._clock_s()) + seconds * _REST

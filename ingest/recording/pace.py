"""How fast the backlog may be uploaded, so that catching up does not hurt live recording. Pure but for the clock."""

from __future__ import annotations

from collections.abc import Callable

_REST = 0.25  # of each upload's own time: catching up takes at most 80 % of what the store can do


class Pace:
    """One worker's: after each late upload a rest of a quarter of the time it took."""

    def __init__(self, clock_s: Callable[[], float]) -> None:
        self._clock_s = clock_s
        self._until_s = 0.0

    def wait_s(self) -> float:
        """How long until the next late upload may start; 0 or less: now."""
        return self._until_s - self._clock_s()

    def took(self, seconds: float) -> None:
        """A late upload took this long."""
        self._until_s = max(self._until_s, self._clock_s()) + seconds * _REST

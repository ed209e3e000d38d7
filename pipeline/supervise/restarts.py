"""Counts recent restarts, and chooses the wait before the next. Pure."""

from __future__ import annotations

from collections import deque
from typing import Final

OFTEN: Final = 5
WITHIN_S: Final = 600.0


class Restarts:
    """Call ``note()`` for each restart. ``often()``: restarts do not help, so an operator is needed."""

    def __init__(self) -> None:
        self.total = 0
        self._lately: deque[float] = deque(maxlen=OFTEN)

    def note(self, now_s: float) -> None:
        """Count a restart at ``now_s`` of a monotonic clock."""
        self.total += 1
        self._lately.append(now_s)

    def often(self, now_s: float) -> bool:
        """Whether there were ``OFTEN`` restarts within ``WITHIN_S``."""
        return len(self._lately) == OFTEN and now_s - self._lately[0] <= WITHIN_S

    def last_s(self) -> float | None:
        """Time of the last restart."""
        return self._lately[-1] if self._lately else None

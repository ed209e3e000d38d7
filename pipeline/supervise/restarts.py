"""How often something was started again lately, and how long to wait before the next time. Pure."""

from __future__ import annotations

from collections import deque
from typing import Final

OFTEN: Final = 5
WITHIN_S: Final = 600.0


class Restarts:
    """``note()`` each one. ``often()`` says that starting again does not help: a person is needed."""

    def __init__(self) -> None:
        self.total = 0
        self._lately: deque[float] = deque(maxlen=OFTEN)

    def note(self, now_s: float) -> None:
        """One more, at ``now_s`` of a monotonic clock."""
        self.total += 1
        self._lately.append(now_s)

    def often(self, now_s: float) -> bool:
        """Whether there were ``OFTEN`` of them within ``WITHIN_S``."""
        return len(self._lately) == OFTEN and now_s - self._lately[0] <= WITHIN_S

    def last_s(self) -> float | None:
        """When the last one was."""
        return self._lately[-1] if self._lately else None

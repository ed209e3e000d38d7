"""Says when a service that failed may be tried again."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from runtime.backoff import Backoff

FIRST_S = 0.5
LONGEST_S = 30.0


class Gate:
    """A gate in front of one service, shared by its callers. It closes after a failure, longer after each one."""

    def __init__(self, clock_s: Callable[[], float], backoff: Backoff | None = None) -> None:
        self._clock_s = clock_s
        self._backoff = backoff or Backoff(first_s=FIRST_S, longest_s=LONGEST_S)
        self._until_s = 0.0

    def failed(self) -> None:
        """Account for a failed attempt. Concurrent attempts count as one."""
        if self._until_s <= self._clock_s():
            self._until_s = self._clock_s() + self._backoff.pause_s()

    def passed(self) -> None:
        """Account for a successful attempt: the gate opens."""
        self._backoff.reset()
        self._until_s = 0.0

    @property
    def shut(self) -> bool:
        """Whether the next attempt has to wait."""
        return self._until_s > self._clock_s()

    async def wait(self) -> None:
        """Wait until the gate is open."""
        while (left_s := self._until_s - self._clock_s()) > 0:  # noqa: ASYNC110
            await asyncio.sleep(left_s)

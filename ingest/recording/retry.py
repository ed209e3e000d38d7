"""When a service that failed may be tried again."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from runtime.backoff import Backoff

FIRST_S = 0.5
LONGEST_S = 30.0


class Gate:
    """A gate in front of one service, shared by its users: it shuts after a failure, longer after each further one."""

    def __init__(self, clock_s: Callable[[], float], backoff: Backoff | None = None) -> None:
        self._clock_s = clock_s
        self._backoff = backoff or Backoff(first_s=FIRST_S, longest_s=LONGEST_S)
        self._until_s = 0.0

    def failed(self) -> None:
        """Call once per failed attempt. Attempts that were made together count as one."""
        if self._until_s <= self._clock_s():
            self._until_s = self._clock_s() + self._backoff.pause_s()

    def passed(self) -> None:
        """Call after an attempt that succeeded: the next one need not wait."""
        self._backoff.reset()
        self._until_s = 0.0

    async def wait(self) -> None:
        """Until it may be tried (again)."""
        while (left_s := self._until_s - self._clock_s()) > 0:  # noqa: ASYNC110
            await asyncio.sleep(left_s)

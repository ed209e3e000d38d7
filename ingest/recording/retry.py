"""When to try again. Pure but for the clock and the dice that are passed in."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable

_FIRST_S = 0.5
_LONGEST_S = 30.0


class Gate:
    """One service's door: shut for a while after a failure, longer after each further one, jittered."""

    def __init__(self, clock_s: Callable[[], float], dice: random.Random) -> None:
        self._clock_s = clock_s
        self._dice = dice
        self._failures = 0
        self._until_s = 0.0

    @property
    def failing(self) -> bool:
        return self._failures > 0

    def failed(self) -> None:
        """Call once per failed attempt. Attempts that were made together count as one."""
        if self._until_s > self._clock_s():
            return
        longest = min(_LONGEST_S, _FIRST_S * 2 ** min(self._failures, 10))
        self._failures += 1
        self._until_s = self._clock_s() + longest * self._dice.uniform(0.5, 1.0)

    def passed(self) -> None:
        self._failures = 0
        self._until_s = 0.0

    async def wait(self) -> None:
        """Until it may be tried (again)."""
        while (left_s := self._until_s - self._clock_s()) > 0:  # noqa: ASYNC110
            await asyncio.sleep(left_s)

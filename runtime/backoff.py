"""How long to wait before what failed is tried again: exponential back-off with jitter. Pure but for the dice.

Retry libraries wrap one call. Here a task, a connection, an upload and a process follow the same schedule, each with
its own idea of an attempt, so that only the schedule is shared.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable


class Backoff:
    """Pauses of ``first_s``, doubled after every further failure up to ``longest_s``; each is cut by up to a half.

    The jitter keeps what failed at one moment, such as all cameras behind one switch, from coming back at one moment.
    """

    def __init__(
        self,
        *,
        first_s: float,
        longest_s: float,
        steady_s: float = math.inf,
        uniform: Callable[[float, float], float] = random.uniform,
    ) -> None:
        """``steady_s``: an attempt that lasted at least so long counts as a success that ended later."""
        self._first_s, self._longest_s, self._steady_s = first_s, longest_s, steady_s
        self._uniform = uniform
        self.failures = 0  # in a row

    def pause_s(self, lasted_s: float = 0.0) -> float:
        """The pause after one more failure, of an attempt that lasted ``lasted_s``."""
        if lasted_s >= self._steady_s:
            self.failures = 0
        doublings = min(self.failures, 32)  # more would overflow in the end, and longest_s holds long before
        self.failures += 1
        return min(self._longest_s, self._first_s * 2.0**doublings) * self._uniform(0.5, 1.0)

    def reset(self) -> None:
        """It works: the next failure is the first again."""
        self.failures = 0

"""How fast a figure grows, and how often something happened lately. Pure; times are seconds of a monotonic clock."""

from __future__ import annotations

import math
from collections import deque


class Growth:
    """The mean growth of a figure over a window."""

    def __init__(self, *, window_s: float, least_s: float) -> None:
        """``least_s``: the stretch of samples below which nothing is said. Keeps sixty samples at most."""
        self._least_s = least_s
        self._every_s = window_s / 60
        self._samples: deque[tuple[float, float]] = deque(maxlen=61)

    def add(self, mono_s: float, value: float) -> None:
        """The figure now; what comes sooner than a sixtieth of the window after the last sample is left out."""
        if not self._samples or mono_s - self._samples[-1][0] >= self._every_s:
            self._samples.append((mono_s, value))

    def per_s(self) -> float | None:
        """None while too little is known."""
        if len(self._samples) < 2:
            return None
        (first_s, first), (last_s, last) = self._samples[0], self._samples[-1]
        return (last - first) / (last_s - first_s) if last_s - first_s >= self._least_s else None

    def hours_until(self, left: float) -> float:
        """Until it has grown by ``left``; infinite when it does not grow, or not enough is known."""
        rate = self.per_s()
        return left / rate / 3600 if rate is not None and rate > 0 else math.inf


class Happenings:
    """A counter that only grows, and starts from zero with its process: how much it grew within a window."""

    def __init__(self, *, window_s: float) -> None:
        self._window_s = window_s
        self._last: int | None = None
        self._grown: deque[tuple[float, int]] = deque(maxlen=1000)

    def add(self, mono_s: float, count: int) -> int:
        """The counter now; how much it grew within the window. The first value says nothing."""
        if self._last is not None and count != self._last:
            self._grown.append((mono_s, count - self._last if count > self._last else count))
        self._last = count
        while self._grown and mono_s - self._grown[0][0] > self._window_s:
            self._grown.popleft()
        return sum(grown for _, grown in self._grown)

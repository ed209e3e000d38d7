"""Reads from arrival times the least delayed picture of each second, and whether the link keeps up. Pure.

Pictures arrive later and later for two reasons: the link carries less than the camera sends, or the camera's clock is
slow. Two observations separate them. A link that keeps up is idle between two pictures; a saturated one is idle, if
ever, within a picture. And on a saturated link time is proportional to bytes: a key frame takes ten times as long as
other pictures, which it does not with a slow clock.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from typing import Final

from ingest.access_unit import TICKS_PER_S, Rests

_PULL: Final = 0.4  # share of the error that is corrected at once, when pictures are spread evenly
_PAUSE: Final = TICKS_PER_S * 3 / 4
_COUNTED: Final = TICKS_PER_S
_SECONDS: Final = 3  # seconds over which the link is judged
_BATCHES_MIN: Final = 6
_FULL: Final = 0.25  # by this factor bytes explain arrival better than pictures do
_UNEVEN: Final = 0.01  # unexplained part below which there is no evidence


class _Seen:
    """One second: sums of two regressions through the origin, time over pictures and time over bytes; rests."""

    __slots__ = ("batches", "between", "by_bytes", "by_pictures", "pictures", "size", "times", "within")

    def __init__(self) -> None:
        self.batches = self.pictures = self.size = self.by_pictures = self.by_bytes = self.between = self.within = 0
        self.times = 0


class LinkLoad:
    """Call ``batch()`` for what arrived together, ``keeps_up()`` about once a second."""

    __slots__ = ("_now", "_rests", "_seconds")

    def __init__(self) -> None:
        self._rests: Rests | None = None
        self._now = _Seen()
        self._seconds: deque[_Seen] = deque(maxlen=_SECONDS)

    def batch(self, elapsed: int, pictures: int, size_bytes: int) -> None:
        """Take a batch. ``elapsed``: ticks since the batch before."""
        now = self._now
        now.batches += 1
        now.times += elapsed * elapsed
        now.pictures += pictures * pictures
        now.size += size_bytes * size_bytes
        now.by_pictures += elapsed * pictures
        now.by_bytes += elapsed * size_bytes

    def keeps_up(self, rests: Rests | None) -> bool:
        """Return whether the link keeps up. ``rests``: None where the source cannot tell."""
        before, self._rests = self._rests, rests
        if rests is not None and before is not None:
            self._now.between, self._now.within = rests.between - before.between, rests.within - before.within
        self._seconds.append(self._now)
        self._now = _Seen()
        seconds = list(self._seconds)
        known = rests is not None and before is not None
        if known and sum(one.between for one in seconds) <= 2 * sum(one.within for one in seconds):
            return False
        return not (_goes_by_the_byte(seconds[-2:]) or _goes_by_the_byte(seconds))


def _goes_by_the_byte(seconds: Sequence[_Seen]) -> bool:
    pictures, size = sum(one.pictures for one in seconds), sum(one.size for one in seconds)
    times = sum(one.times for one in seconds)
    if sum(one.batches for one in seconds) < _BATCHES_MIN or not (pictures and size and times):
        return False
    by_pictures = 1 - sum(one.by_pictures for one in seconds) ** 2 / (pictures * times)
    by_bytes = 1 - sum(one.by_bytes for one in seconds) ** 2 / (size * times)
    return by_pictures > _UNEVEN and by_bytes < _FULL * by_pictures


class Spread:
    """Spreads pictures with useless stamps evenly over the time in which they arrived. ``interval``: recent ticks."""

    __slots__ = ("_elapsed", "_pictures", "_started", "interval")

    def __init__(self, interval: float) -> None:
        self.interval = interval
        self._elapsed = self._pictures = 0
        self._started = False

    def step(self, last: float, due: float, pictures: int, elapsed: int) -> tuple[float, float]:
        """Return when the first of ``pictures`` was taken, and the interval between them.

        last: time of the picture before; due: arrival of this batch; elapsed: since the batch before
        """
        self._count(pictures, elapsed)
        interval = self.interval
        late = due - last - pictures * interval
        if late > max(_PAUSE, 3 * interval):  # the camera paused
            return max(last + interval / 4, due - (pictures - 1) * interval), interval
        step = max(interval / 4, 2.0, interval + _PULL * late / pictures)
        return last + step, step

    def _count(self, pictures: int, elapsed: int) -> None:
        self._pictures += pictures
        self._elapsed += elapsed
        if self._elapsed < _COUNTED:
            return
        found = self._elapsed / self._pictures
        near = self._started and abs(found - self.interval) < 0.3 * self.interval
        self.interval = self.interval + 0.3 * (found - self.interval) if near else found
        self._elapsed = self._pictures = 0
        self._started = True

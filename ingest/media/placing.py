"""Times for pictures along a line that moves: each where the line is, or on the way there. Pure.

A picture that has its time keeps it. When the line moves, those that follow come nearer to it, a little faster or
slower than it runs, and are on it half a second later, or when they can be without running at more than five times its
rate or less than a fifth: none is before one that is shown before it, none is squeezed.

All times are ticks of 90 kHz.
"""

from __future__ import annotations

from typing import Final

from ingest.access_unit import TICKS_PER_S
from ingest.media.course import Course

_NEAR: Final = TICKS_PER_S / 2  # media time in which a correction is made
_SLOWEST, _FASTEST = 0.2, 5.0  # of the line's own rate


class Placing:
    """``aim()`` when the line may have moved, then ``place()`` in the order of arrival."""

    __slots__ = ("_after", "_at", "_back", "_from", "_near", "_placed", "_slope")

    def __init__(self, media: int) -> None:
        """With the first picture."""
        self._from, self._at = media, 0.0  # what was placed last, of the latest media time, and where
        self._slope = self._back = self._after = 1.0  # from there on, up to there, and once the line is reached
        self._near = _NEAR  # where it is reached
        self._placed: int | None = None

    def aim(self, course: Course) -> None:
        """What was placed stays where it is, and the line is reached soon."""
        placed, rate = self._placed, course.rate
        if placed is None:
            self._at = course.taken(self._from)
            self._slope = self._back = self._after = rate
            return
        at = self._place(placed)
        error = course.taken(placed) - at
        self._back = self._slope if placed - self._from <= self._near else self._after
        self._from, self._at, self._after = placed, at, rate
        wanted = rate + error / _NEAR
        self._slope = max(_SLOWEST * rate, min(_FASTEST * rate, wanted))
        self._near = _NEAR if self._slope == wanted else error / (self._slope - rate)

    def place(self, media: int) -> int:
        """When the picture was taken. Of two pictures the one with more media time is later."""
        if self._placed is None or media > self._placed:
            self._placed = media
        return int(self._place(media))

    def _place(self, media: int) -> float:
        ahead = media - self._from
        if ahead <= 0:
            return self._at + self._back * ahead
        near = self._near
        if ahead <= near:
            return self._at + self._slope * ahead
        return self._at + self._slope * near + self._after * (ahead - near)

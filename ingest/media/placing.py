"""Gives pictures times along a line that moves: each on the line, or on the way to it. Pure.

A picture that has its time keeps it. When the line moves, the following pictures approach it, a little faster or
slower than it runs. They reach it after half a second, or later where that would exceed five times its rate or fall
below a fifth. So no picture overtakes another, and none is squeezed to nothing.

All times are ticks of 90 kHz.
"""

from __future__ import annotations

from typing import Final

from ingest.access_unit import TICKS_PER_S
from ingest.media.course import Course

_NEAR: Final = TICKS_PER_S / 2  # media time over which a correction is spread
_SLOWEST, _FASTEST = 0.2, 5.0  # of the line's own rate


class Placing:
    """Call ``aim()`` when the line may have moved, then ``place()`` in the order of arrival."""

    __slots__ = ("_after", "_at", "_back", "_from", "_near", "_placed", "_slope")

    def __init__(self, media: int) -> None:
        """With the first picture."""
        self._from, self._at = media, 0.0  # latest media time that was placed, and its time
        self._slope = self._back = self._after = 1.0  # from there on, up to there, and once the line is reached
        self._near = _NEAR  # where it is reached
        self._placed: int | None = None

    def aim(self, course: Course) -> None:
        """Follow the line from here on; what was placed stays in place."""
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
        """Return when the picture was taken. Times increase with media time."""
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

"""Turns RTP times into media time: replaces odd stamps, removes clock steps, notices useless stamps. Pure.

All times are ticks of 90 kHz. Media time has no steps; the Course finds its rate and origin.

Cameras stamp one picture in fifty hours away, stamp all pictures alike, count milliseconds, or set their clock within a
session. One comparison shows each of these: the distance of a stamp from the latest one, against the elapsed time and
the delay of pictures so far.
"""

from __future__ import annotations

from typing import Final

from ingest.access_unit import TICKS_PER_S

_STANDING: Final = TICKS_PER_S * 3 // 1000  # closer than this to the latest picture: the stamps stand still
_AHEAD: Final = TICKS_PER_S // 10  # further ahead than arrival allows: odd
_BACK: Final = TICKS_PER_S  # B-frames after a first picture are closer to it than this
_REORDERED: Final = TICKS_PER_S // 2
_NEVER: Final = -1 << 62
_PAUSE: Final = TICKS_PER_S // 2
_USUAL: Final = TICKS_PER_S // 25
_FASTEST: Final = 4.0  # seconds of media time in one
_YOUNG: Final = 8  # pictures before the usual pace is known
_ODD, _DOUBT_MAX, _USELESS = (
    4,
    40,
    24,
)  # score of an odd stamp after another; the largest score; the score of useless stamps
_SET: Final = 12  # score of a step of the camera's clock
_BEHIND_MAX: Final = 16  # consecutive pictures presented before the latest one; decoders hold no more
_APART: Final = 0.15  # in units of the pace: an odd stamp among B-frames is this far behind the latest


class Stamps:
    """Call ``media()`` for each picture in the order of arrival.

    jumps: number of steps of the camera's clock
    pace: average time between arrivals
    """

    __slots__ = (
        "_before", "_behind", "_doubt", "_high", "_limit", "_odd", "_odd_media", "_pictures", "_reordered", "_shift",
        "_usual", "_waited", "jumps", "pace",
    )  # fmt: skip

    def __init__(self) -> None:
        self._shift = 0  # offset from a stamp to media time
        self._high = self._before = 0  # the latest picture, and the latest one before that
        self._odd: int | None = None  # stamp of the last picture, if odd
        self._odd_media = _NEVER  # and its media time, where there are B-frames
        self._behind = 0  # consecutive pictures presented before the latest one
        self._waited = 0  # since the last good stamp
        self._doubt = 0
        self._reordered = False  # whether there are B-frames
        self._pictures = 0
        self._limit = _AHEAD + 2 * TICKS_PER_S
        self._usual = self.pace = _USUAL
        self.jumps = 0

    @property
    def useless(self) -> bool:
        """Whether so many stamps are odd that arrival is the better source."""
        return self._doubt > _USELESS

    @property
    def trusted(self) -> bool:
        """Whether no stamp was odd for a while."""
        return self._doubt == 0

    @property
    def shift(self) -> int:
        """Present offset from a stamp to media time."""
        return self._shift

    @property
    def high(self) -> int:
        """The latest media time."""
        return max(self._high, self._odd_media)

    def media(self, stamp: int, elapsed: int, spare: float) -> int:
        """Return the picture's media time.

        elapsed: since the arrival of the picture before; spare: delay of that one, by the Course
        """
        media = stamp + self._shift
        step = media - self._high
        if step > _STANDING:
            if step <= self._limit or step <= self._limit + (2 * elapsed + spare) * self._fastest:
                self._before, self._high = self._high, media
                self._behind = 0
                if self._doubt or self._odd is not None or self._pictures < _YOUNG:
                    self._good(step)
                self._usual += (step - self._usual) >> 3
                self.pace += (elapsed - self.pace) >> 4
                self._limit = _AHEAD + 2 * self._usual
                return media
        elif (
            step < -_STANDING
            and media > self._before + _STANDING
            and (self._odd is None or abs(stamp - self._odd) > _STANDING)
            and self._behind < _BEHIND_MAX
        ):
            self._reordered = True
            self._behind += 1
            if self._doubt:
                self._good(0)
            return media
        if not self._pictures:
            self._pictures = 1
            self._high, self._before = media, media - _BACK
            return media
        return self._strange(stamp, elapsed)

    def move(self, by: int) -> None:
        """Continue media time from another stamp."""
        self._shift += by
        self._high += by
        self._before += by
        self._odd_media += by

    @property
    def _fastest(self) -> float:
        """Largest plausible media time of a second. Where pictures pile up on a link, their pace says little."""
        return min(_FASTEST, self._usual / (self.pace + 1))

    def _good(self, step: int) -> None:
        self._odd, self._waited = None, 0
        self._doubt = max(0, self._doubt - 1)
        if step and self._pictures < _YOUNG:
            if self._pictures == 1:
                self._usual = step
            self._pictures += 1

    def _strange(self, stamp: int, elapsed: int) -> int:
        """Handle an odd stamp; two consecutive ones prove a step of the camera's clock."""
        first, self._odd = self._odd, stamp
        self._waited += elapsed
        if first is not None and self._behind < _BEHIND_MAX and self._follows(stamp - first, elapsed):
            self._doubt = min(_DOUBT_MAX, self._doubt + _SET)
            return self._jumped(stamp - first, stamp)
        self._doubt = min(_DOUBT_MAX, self._doubt + (1 if first is None else _ODD))
        if self._reordered:  # its time is unknown: the following stamps are judged without it
            self._odd_media = self.high + max(1, int(self.pace * _APART))
            return self._odd_media
        step = self._usual if self._pictures > 1 else max(elapsed, _USUAL)
        self._before, self._high = self._high, self._high + step
        return self._high

    def _follows(self, step: int, elapsed: int) -> bool:
        if step > _STANDING:
            return step <= _AHEAD + 4 * (self._usual + elapsed)
        return self._reordered and -_REORDERED < step < -_STANDING

    def _jumped(self, step: int, stamp: int) -> int:
        media = self._high + step + (self._usual if self._reordered else 0)
        if self._waited > 2 * self._usual + _PAUSE:  # the camera paused
            media = max(media, self._high + self._waited - self._usual)
        self.jumps += 1
        self._shift = media - stamp
        self._high = max(self._high, media)
        self._before = self._high - _BACK if self._reordered else min(media, self._high) - _STANDING
        self._odd, self._waited = None, 0
        return media

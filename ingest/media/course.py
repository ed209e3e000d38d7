"""Estimates when pictures were taken: a line from media time to recorder time, under all arrivals. Pure.

A picture cannot have been taken after it arrived. The picture of each second with the least delay gives a point (media
time, arrival). The line lies below the last 48 points, as close to them as possible (Moon, Skelly and Towsley,
"Estimation and removal of clock skew from network delay measurements", INFOCOM 1999). It keeps its rate, or returns to
the camera's nominal one, unless another rate fits clearly better. A picture that arrives earlier than the line allows
moves it at once. When pictures arrive later and later the line follows within three seconds, but only while the link
keeps up: otherwise the link is late, and the line is right.

All times are ticks of 90 kHz.
"""

from __future__ import annotations

import itertools
from collections import deque
from collections.abc import Sequence
from typing import Final

from ingest.access_unit import TICKS_PER_S

Point = tuple[int, int]
_SECOND: Final = TICKS_PER_S
_POINTS: Final = 48
_SUDDEN: Final = 2  # points that prove a large change
_SUDDEN_MIN: Final = 0.2 * TICKS_PER_S
_RECENT: Final = 3  # points that prove a change
_SURE: Final = 5  # points that prove that stamps are not times
_LASTING: Final = 8  # points that prove that pictures arrive later for good
_NOISE_AT_FIRST: Final = 0.05 * TICKS_PER_S
_CALM: Final = 0.01 * TICKS_PER_S  # a second whose best picture is closer to the line brings nothing new
_CALM_SECONDS: Final = 3
_KEPT_UP: Final = 3  # seconds after which a link that was behind counts as keeping up
_LATELY: Final = 12  # points that prove a small change of the rate
_STRAIGHT: Final = 0.25  # their residual, as a share of that of all points
_LITTLE: Final = 0.15  # of the rate
_CHANGE_MIN: Final = 0.06 * TICKS_PER_S
_CAUTION: Final = 1.5
_LEARN: Final = 0.2
_FEW: Final = 6
_PER_POINT: Final = 0.02 * TICKS_PER_S  # this much noise demands one more point before a new rate is accepted
_CAREFUL: Final = 12
_GAIN_MIN: Final = 0.015 * TICKS_PER_S
RATE_MIN, RATE_MAX = 0.3, 3.4  # seconds per second of media time; stamps with another rate are not times
_RUNAWAY: Final = 2.5 * TICKS_PER_S  # early by this much within a second


class Course:
    """Call ``observe()`` for each picture, and ``look()`` when a second ``ends()``.

    delay: of the last picture
    """

    __slots__ = (
        "_calm", "_kept_up", "_least", "_media", "_moved", "_moved_before", "_noise", "_point", "_points", "_rate",
        "_second", "_taken", "delay",
    )  # fmt: skip

    def __init__(self, media: int, arrived: int) -> None:
        """With the first picture."""
        self._media, self._taken, self._rate = media, float(arrived), 1.0  # a point on the line
        self._points: deque[Point] = deque(maxlen=_POINTS)
        self._second = arrived  # start of the current second
        self._least, self._point = 0.0, (media, arrived)
        self._moved = self._moved_before = 0.0  # by pictures that arrived too early for it, in this second and the last
        self._noise = _NOISE_AT_FIRST
        self._kept_up = _KEPT_UP  # seconds for which the link has kept up
        self._calm = 0  # seconds since the line was last fitted, none of which brought anything new
        self.delay = 0.0

    @property
    def rate(self) -> float:
        """Recorder seconds per second of media time."""
        return self._rate

    @property
    def plausible(self) -> bool:
        """Whether stamps can have this rate. A change seen for a few seconds proves nothing yet."""
        certain = RATE_MIN < self._rate < RATE_MAX or len(self._points) < _SURE
        return certain and self._moved < _RUNAWAY

    def taken(self, media: float) -> float:
        """Recorder time of a media time, by the line."""
        return self._taken + self._rate * (media - self._media)

    def observe(self, media: int, arrived: int) -> None:
        """Account for a picture."""
        spare = arrived - self._taken - self._rate * (media - self._media)
        # Only the least delayed picture of a second counts: the others were queued somewhere.
        if spare < self._least:
            # It arrived before the line says it was taken, which is impossible: the line moves down to it at once.
            if spare < 0.0:
                self._taken += spare
                self._moved -= spare
                spare = 0.0
            self._least, self._point = spare, (media, arrived)
        self.delay = spare

    def ends(self, arrived: int) -> bool:
        """Whether the second is over, and ``look()`` is due."""
        return arrived - self._second >= _SECOND

    def look(self, arrived: int, *, keeps_up: bool) -> None:
        """Fit the line to the second that is over."""
        self._second = arrived
        late = self._point[1] - self.taken(self._point[0])
        self._kept_up = self._kept_up + 1 if keeps_up else 0
        # While the link is behind, its delays say nothing about when pictures were taken.
        if self._kept_up >= _KEPT_UP or (keeps_up and late < self._most):
            self._points.append(self._point)
            self._calm = self._calm + 1 if max(late, self._moved) < _CALM and self._calm < _CALM_SECONDS else 0
            # Fitting costs most of this module's time, and a calm second cannot change the result.
            if not self._calm or len(self._points) < _LASTING:
                self._follow()
            self._moved_before, self._moved = self._moved, 0.0
        else:
            self._moved_before = self._moved = 0.0
        self._least = float(1 << 62)

    def settle(self) -> None:
        """Drop the earliest evidence: the first pictures may have been old, so their arrival proves nothing."""
        self._moved = 0.0

    def restart(self, media: int, taken: float, arrived: int, rate: float = 1.0) -> None:
        """Start anew from one point alone."""
        self._media, self._taken, self._rate = media, taken, rate
        self._points.clear()
        self._second, self._least, self._point = arrived, float(1 << 62), (media, arrived)
        self._moved = self._moved_before = 0.0

    # -- The line

    def _follow(self) -> None:
        points = self._points
        self._forget_if_changed()
        lowest, slack = _support(points, self._rate)
        best = self._rate
        if len(points) > 1:
            found = _fitted(points)
            found_lowest, found_slack = _support(points, found)
            # A small change of rate hides in 48 points; it shows when the recent dozen fit a line much better.
            if len(points) > 2 * _LATELY and found_slack > _CHANGE_MIN and self._bent(found_slack):
                self._keep(_LATELY)
                found = _fitted(points)
                found_lowest, found_slack = _support(points, found)
                self._noise = found_slack
                lowest, slack = _support(points, self._rate)
            enough = _GAIN_MIN + _CAUTION * self._noise * min(1.0, _FEW / len(points))
            if slack - found_slack > enough and len(points) >= self._need:
                plain_lowest, plain_slack = _support(points, 1.0)
                # Prefer the nominal rate: most cameras run at it, and estimates then do not wander.
                if plain_slack - found_slack <= enough:
                    best, lowest = 1.0, plain_lowest
                else:
                    best, lowest = found, found_lowest
            if len(points) > _SUDDEN:
                self._noise += _LEARN * (found_slack - self._noise)
        media = points[-1][0]
        self._media, self._taken, self._rate = media, lowest + best * (media - points[0][0]), best

    def _bent(self, slack: float) -> bool:
        """Whether no line fits all points, but one fits the recent ones: the rate has changed slightly."""
        lately = list(self._points)[-_LATELY:]
        rate = _fitted(lately)
        return abs(rate - self._rate) < _LITTLE * self._rate and _support(lately, rate)[1] < _STRAIGHT * slack

    def _forget_if_changed(self) -> None:
        """Drop the points from before the stamps changed."""
        points, noise = self._points, self._noise
        most = self._most
        late = [arrived - self.taken(media) for media, arrived in points]
        if self._moved > most >= self._moved_before and min(late[:-1], default=0.0) > most:
            self._keep(1)  # the stamps jumped ahead, or the link improved
        elif (
            len(late) > _SUDDEN
            and late[-2] > max(_SUDDEN_MIN, 6 * noise)
            and late[-1] - late[-2] > late[-2] - late[-3] > 0
        ):
            self._keep(max(_SUDDEN, self._need))
        elif len(late) > _RECENT:
            recent = late[-_RECENT:]
            rises = recent[2] - recent[1] > (recent[1] - recent[0]) / 2 > 0
            if (
                (rises and recent[0] > most)
                or min(self._moved, self._moved_before) > most
                or (max(recent) < most and min(late[:-_RECENT]) > most)
            ):
                self._keep(max(_RECENT, self._need))
            elif len(late) > _LASTING and min(late[-_LASTING:]) > max(_CHANGE_MIN, 6 * sorted(late)[len(late) // 4]):
                self._keep(max(_LASTING, self._need))

    @property
    def _most(self) -> float:
        """By how much pictures must be late, or early, for several seconds to prove a change."""
        return max(_CHANGE_MIN, 3 * self._noise)

    @property
    def _need(self) -> int:
        """Number of points that prove another rate."""
        return 2 + int(min(_CAREFUL, self._noise / _PER_POINT))

    def _keep(self, count: int) -> None:
        while len(self._points) > count:
            self._points.popleft()


def _support(points: Sequence[Point], rate: float) -> tuple[float, float]:
    """Return the highest line of this rate below all points, at the first media time, and their distance above it."""
    first = points[0][0]
    over = [arrived - rate * (media - first) for media, arrived in points]
    lowest = min(over)
    return lowest, sum(over) / len(over) - lowest


def _fitted(points: Sequence[Point]) -> float:
    """Return the rate of the closest line below all points: the edge of their lower hull below their mean."""
    hull: list[Point] = []
    for point in points:
        if hull and point[0] <= hull[-1][0]:
            continue
        # Andrew's monotone chain: of two consecutive edges of the lower hull the second rises more steeply.
        while len(hull) > 1 and _turns_down(hull[-2], hull[-1], point):
            hull.pop()
        hull.append(point)
    if len(hull) < 2:
        return 1.0
    mean = sum(media for media, _ in points) / len(points)
    left, right = hull[-2], hull[-1]
    for before, after in itertools.pairwise(hull):
        if before[0] <= mean <= after[0]:
            left, right = before, after
            break
    return (right[1] - left[1]) / (right[0] - left[0])


def _turns_down(first: Point, second: Point, third: Point) -> bool:
    """Whether the second point lies on or above the line from the first to the third."""
    return (second[1] - first[1]) * (third[0] - first[0]) >= (third[1] - first[1]) * (second[0] - first[0])

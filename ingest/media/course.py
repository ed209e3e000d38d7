"""When pictures were taken: a line over media time, by its offset and rate, under all that arrival tells. Pure.

A picture cannot have been taken after it arrived. Of each second the picture that came with the least delay is a point
(media time, arrival). The line lies under the last 48 points, as near to them as it can (Moon, Skelly and Towsley,
Estimation and removal of clock skew from network delay measurements, 1999). It keeps the rate that it has, or goes back
to the camera's own, unless another one is clearly nearer. A picture that comes earlier than the line allows
moves it at once. Where pictures come later and later, the line follows within three seconds, but only while the link
keeps up: otherwise it is the link that is late, and the line is right as it is.

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
_SUDDEN: Final = 2  # points that show that much has changed
_SUDDEN_MIN: Final = 0.2 * TICKS_PER_S
_RECENT: Final = 3  # points that show that something has changed
_SURE: Final = 5  # points that show that stamps are no times
_LASTING: Final = 8  # points that show that pictures come later than before, for good
_NOISE_AT_FIRST: Final = 0.05 * TICKS_PER_S
_CALM: Final = 0.01 * TICKS_PER_S  # a second whose best picture is nearer to the line says nothing new
_CALM_SECONDS: Final = 3
_KEPT_UP: Final = 3  # seconds after which a link that was behind is believed to keep up
_LATELY: Final = 12  # points that show that the rate is another one, though it changed but little
_STRAIGHT: Final = 0.25  # of what all points leave, those leave
_LITTLE: Final = 0.15  # of the rate
_CHANGE_MIN: Final = 0.06 * TICKS_PER_S
_CAUTION: Final = 1.5
_LEARN: Final = 0.2
_FEW: Final = 6
_PER_POINT: Final = 0.02 * TICKS_PER_S  # so much noise asks for one point more before another rate is believed
_CAREFUL: Final = 12
_GAIN_MIN: Final = 0.015 * TICKS_PER_S
RATE_MIN, RATE_MAX = 0.3, 3.4  # seconds for a second of media time; beyond it the stamps are no times
_RUNAWAY: Final = 2.5 * TICKS_PER_S  # earlier by so much within a second


class Course:
    """``observe()`` each picture; ``look()`` when a second ``ends()``.

    delay: how late the last picture came
    """

    __slots__ = (
        "_calm", "_kept_up", "_least", "_media", "_moved", "_moved_before", "_noise", "_point", "_points", "_rate",
        "_second", "_taken", "delay",
    )  # fmt: skip

    def __init__(self, media: int, arrived: int) -> None:
        """With the first picture."""
        self._media, self._taken, self._rate = media, float(arrived), 1.0  # the line, through a point
        self._points: deque[Point] = deque(maxlen=_POINTS)
        self._second = arrived  # the one under way began then
        self._least, self._point = 0.0, (media, arrived)
        self._moved = self._moved_before = 0.0  # by pictures that came too early for it, this second and the last
        self._noise = _NOISE_AT_FIRST
        self._kept_up = _KEPT_UP  # so many seconds, the link
        self._calm = 0  # so many seconds since the line was looked at, none of which said anything new
        self.delay = 0.0

    @property
    def rate(self) -> float:
        """Seconds in which a second of media time goes by."""
        return self._rate

    @property
    def plausible(self) -> bool:
        """Stamps may be that fast or slow. One change, seen for a few seconds, proves nothing yet."""
        certain = RATE_MIN < self._rate < RATE_MAX or len(self._points) < _SURE
        return certain and self._moved < _RUNAWAY

    def taken(self, media: float) -> float:
        """By the line."""
        return self._taken + self._rate * (media - self._media)

    def observe(self, media: int, arrived: int) -> None:
        """A picture came."""
        spare = arrived - self._taken - self._rate * (media - self._media)
        if spare < self._least:
            if spare < 0.0:
                self._taken += spare
                self._moved -= spare
                spare = 0.0
            self._least, self._point = spare, (media, arrived)
        self.delay = spare

    def ends(self, arrived: int) -> bool:
        """A second is over: ``look()``."""
        return arrived - self._second >= _SECOND

    def look(self, arrived: int, *, keeps_up: bool) -> None:
        """Learn from the second that is over."""
        self._second = arrived
        late = self._point[1] - self.taken(self._point[0])
        self._kept_up = self._kept_up + 1 if keeps_up else 0
        if self._kept_up >= _KEPT_UP or (keeps_up and late < self._most):
            self._points.append(self._point)
            self._calm = self._calm + 1 if max(late, self._moved) < _CALM and self._calm < _CALM_SECONDS else 0
            if not self._calm or len(self._points) < _LASTING:
                self._follow()
            self._moved_before, self._moved = self._moved, 0.0
        else:
            self._moved_before = self._moved = 0.0
        self._least = float(1 << 62)

    def settle(self) -> None:
        """What came first may have been old: that it came early proves nothing of the stamps."""
        self._moved = 0.0

    def restart(self, media: int, taken: float, arrived: int, rate: float = 1.0) -> None:
        """With nothing known but one time."""
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
            if len(points) > 2 * _LATELY and found_slack > _CHANGE_MIN and self._bent(found_slack):
                self._keep(_LATELY)
                found = _fitted(points)
                found_lowest, found_slack = _support(points, found)
                self._noise = found_slack
                lowest, slack = _support(points, self._rate)
            enough = _GAIN_MIN + _CAUTION * self._noise * min(1.0, _FEW / len(points))
            if slack - found_slack > enough and len(points) >= self._need:
                plain_lowest, plain_slack = _support(points, 1.0)
                if plain_slack - found_slack <= enough:
                    best, lowest = 1.0, plain_lowest
                else:
                    best, lowest = found, found_lowest
            if len(points) > _SUDDEN:
                self._noise += _LEARN * (found_slack - self._noise)
        media = points[-1][0]
        self._media, self._taken, self._rate = media, lowest + best * (media - points[0][0]), best

    def _bent(self, slack: float) -> bool:
        """No line is near all points, but one is near those of late: the rate has changed a little."""
        lately = list(self._points)[-_LATELY:]
        rate = _fitted(lately)
        return abs(rate - self._rate) < _LITTLE * self._rate and _support(lately, rate)[1] < _STRAIGHT * slack

    def _forget_if_changed(self) -> None:
        """Points from before the stamps began to run otherwise."""
        points, noise = self._points, self._noise
        most = self._most
        late = [arrived - self.taken(media) for media, arrived in points]
        if self._moved > most >= self._moved_before and min(late[:-1], default=0.0) > most:
            self._keep(1)  # the stamps went ahead, or the link got better
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
        """So late, or early, for several seconds something has changed."""
        return max(_CHANGE_MIN, 3 * self._noise)

    @property
    def _need(self) -> int:
        """So many points show another rate."""
        return 2 + int(min(_CAREFUL, self._noise / _PER_POINT))

    def _keep(self, count: int) -> None:
        while len(self._points) > count:
            self._points.popleft()


def _support(points: Sequence[Point], rate: float) -> tuple[float, float]:
    """The highest line of that rate under all points, at the first one's media time, and how far they are above it."""
    first = points[0][0]
    over = [arrived - rate * (media - first) for media, arrived in points]
    lowest = min(over)
    return lowest, sum(over) / len(over) - lowest


def _fitted(points: Sequence[Point]) -> float:
    """The rate of the line under all points that is nearest to them: the edge of their lower hull under their mean."""
    hull: list[Point] = []
    for point in points:
        if hull and point[0] <= hull[-1][0]:
            continue
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
    """The second lies on or above the line from the first to the third."""
    return (second[1] - first[1]) * (third[0] - first[0]) >= (third[1] - first[1]) * (second[0] - first[0])

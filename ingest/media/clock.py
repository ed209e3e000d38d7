"""Places the camera's media time on the recorder's clock; and the recorder's clock itself. Pure.

Stamps turns a picture's stamp into media time, and the Course turns media time into recorder time. Where stamps are
useless only arrival is left: pictures are then spread evenly over the time in which they arrived.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import Enum
from typing import Final, Protocol

from ingest.access_unit import TICKS_PER_S, Rests
from ingest.media.arrivals import LinkLoad, Spread
from ingest.media.course import RATE_MAX, RATE_MIN, Course
from ingest.media.placing import Placing
from ingest.media.stamps import Stamps

SETTLE_NS: Final = 700_000_000
_NS_PER_S: Final = 1_000_000_000
_TRIAL: Final = 4 * TICKS_PER_S  # stamps must be good for this long before they are trusted again
_USUAL_RATE: Final = 0.05  # within this, four seconds of stamps show no other rate
_JUMP_NS: Final = 1_000_000_000
_SLEW: Final = 0.05


def ticks_to_ns(ticks: int) -> int:
    """Convert ticks of 90 kHz to nanoseconds, rounding down."""
    return ticks * _NS_PER_S // TICKS_PER_S


def ns_to_ticks(time_ns: int) -> int:
    """Convert nanoseconds to ticks of 90 kHz, rounding down."""
    return time_ns * TICKS_PER_S // _NS_PER_S


class TimedBy(Enum):
    """The source of the times of a camera's pictures."""

    STAMPS = "stamps"
    ARRIVAL = "arrival"


class Stamped(Protocol):
    """A picture or a sound frame. pts_ticks: 90 kHz; mono_ns: its arrival."""

    pts_ticks: int
    mono_ns: int


class MediaClock:
    """Call ``take()`` for what arrived together, and ``place()`` for each item in order once ``settled``."""

    __slots__ = (
        "_arrived", "_arrived_ns", "_course", "_first", "_last", "_load", "_placing", "_shift", "_spread", "_stamps",
        "_trial", "settled", "timed_by",
    )  # fmt: skip

    def __init__(self) -> None:
        self._stamps = Stamps()
        self._course: Course | None = None  # with the first picture
        self._placing: Placing | None = None
        self._load = LinkLoad()
        self._spread = Spread(0.0)
        self._arrived_ns = self._arrived = self._first = 0
        self._shift = 0  # by arrival: offset from media time to recorder time
        self._last = 0.0  # by arrival: media time of the last picture
        self._trial: tuple[int, int] | None = None  # by arrival: media time of a stamp, and its arrival
        self.settled = False
        self.timed_by = TimedBy.STAMPS

    @property
    def jumps(self) -> int:
        """How often the camera's clock was stepped."""
        return self._stamps.jumps

    @property
    def delay_s(self) -> float:
        """Delay of the last picture."""
        return self._course.delay / TICKS_PER_S if self._course is not None else 0.0

    def take(self, pictures: Sequence[Stamped], size_bytes: int = 0, rests: Rests | None = None) -> None:
        """Replace each item's ``pts_ticks`` by its media time.

        size_bytes: of all items; rests: of the connection, where the source knows them
        """
        if not pictures:
            return
        before = self._arrived
        if self.timed_by is TimedBy.STAMPS:
            self._by_stamps(pictures)
        else:
            self._by_arrival(pictures)
        course, placing, arrived = self._course, self._placing, self._arrived
        assert course is not None
        assert placing is not None
        if before:
            self._load.batch(arrived - before, len(pictures), size_bytes)
        if course.ends(arrived):
            course.look(arrived, keeps_up=self._load.keeps_up(rests) and self.timed_by is TimedBy.STAMPS)
            if self.timed_by is TimedBy.ARRIVAL:
                self._try_stamps()
        if self.timed_by is TimedBy.STAMPS and (self._stamps.useless or (self.settled and not course.plausible)):
            self._fall_back()
        if not self.settled and arrived - self._first >= ns_to_ticks(SETTLE_NS):
            self.settled = True
            course.settle()
        if self.settled:
            placing.aim(course)

    def place(self, media_ticks: int) -> int:
        """Return when the item was taken, in ticks of the recorder's monotonic clock; see ``ticks_to_ns()``."""
        assert self._placing is not None
        return self._placing.place(media_ticks)

    def taken_ns(self, stamp_ticks: int) -> int | None:
        """Convert a stamp to monotonic time; None while stamps are useless, or before the first."""
        if self._course is None or self.timed_by is TimedBy.ARRIVAL:
            return None
        return ticks_to_ns(int(self._course.taken(stamp_ticks + self._stamps.shift)))

    def _by_stamps(self, pictures: Sequence[Stamped]) -> None:
        stamps, course = self._stamps, self._course
        arrived_ns, arrived = self._arrived_ns, self._arrived
        for picture in pictures:
            elapsed = 0
            if picture.mono_ns != arrived_ns:
                arrived_ns = picture.mono_ns
                now = arrived_ns * TICKS_PER_S // _NS_PER_S
                elapsed, arrived = now - arrived, now
            if course is None:
                self._first = arrived
                media = picture.pts_ticks = stamps.media(picture.pts_ticks, 0, 0.0)
                course, self._placing = Course(media, arrived), Placing(media)
                self._course = course
                continue
            media = picture.pts_ticks = stamps.media(picture.pts_ticks, elapsed, course.delay)
            course.observe(media, arrived)
        self._arrived_ns, self._arrived = arrived_ns, arrived

    # -- Where stamps are useless

    def _fall_back(self) -> None:
        course, media = self._course, self._stamps.high
        assert course is not None
        self.timed_by = TimedBy.ARRIVAL
        self._shift, self._last = self._arrived - media, float(media)
        self._spread = Spread(max(1.0, self._stamps.pace))
        self._trial = None
        course.restart(media, self._arrived, self._arrived)

    def _by_arrival(self, pictures: Sequence[Stamped]) -> None:
        stamps, course, at = self._stamps, self._course, 0
        assert course is not None
        while at < len(pictures):
            arrived_ns, end = pictures[at].mono_ns, at + 1
            while end < len(pictures) and pictures[end].mono_ns == arrived_ns:
                end += 1
            arrived = ns_to_ticks(arrived_ns)
            due, elapsed = arrived - self._shift, arrived - self._arrived
            media, step = self._spread.step(self._last, due, end - at, elapsed)
            for picture in pictures[at:end]:
                stamps.media(picture.pts_ticks, elapsed, 0.0)
                picture.pts_ticks = int(media)
                self._last, media, elapsed = media, media + step, 0
            course.delay = max(0.0, due - self._last)
            self._arrived_ns, self._arrived, at = arrived_ns, arrived, end

    def _try_stamps(self) -> None:
        """Whether the stamps run with time again."""
        stamps, course = self._stamps, self._course
        assert course is not None
        now = (stamps.high, self._arrived)
        if self._trial is None or not stamps.trusted:
            self._trial = now if stamps.trusted else None
            return
        elapsed = now[1] - self._trial[1]
        if elapsed < _TRIAL:
            return
        rate = elapsed / max(1, now[0] - self._trial[0])
        if RATE_MIN < rate < RATE_MAX:
            media = int(self._last)
            stamps.move(media - stamps.high)
            rate = 1.0 if abs(rate - 1.0) < _USUAL_RATE else rate
            course.restart(media, media + self._shift, self._arrived, rate)
            self.timed_by = TimedBy.STAMPS
        self._trial = None


class RecorderClock:
    """Derives UTC from the monotonic clock, and follows the system's clock: corrections slowly, steps at once.

    The cameras' recordings act on a step first: read ``step_ns()``, then call ``observe()``.
    """

    __slots__ = ("_offset_ns", "_seen_ns")

    def __init__(self, mono_ns: int, utc_ns: int) -> None:
        self._offset_ns = utc_ns - mono_ns
        self._seen_ns = mono_ns

    def step_ns(self, mono_ns: int, utc_ns: int) -> int:
        """By how much the system's clock was stepped since the last call of ``observe()``; 0 for a mere correction."""
        error_ns = utc_ns - mono_ns - self._offset_ns
        return error_ns if abs(error_ns) > _JUMP_NS else 0

    def observe(self, mono_ns: int, utc_ns: int) -> None:
        """Follow the system's clock. Call about once a second."""
        error_ns = utc_ns - mono_ns - self._offset_ns
        if abs(error_ns) <= _JUMP_NS:
            most_ns = int((mono_ns - self._seen_ns) * _SLEW)
            error_ns = max(-most_ns, min(most_ns, error_ns))
        self._offset_ns += error_ns
        self._seen_ns = mono_ns

    def utc_ns(self, mono_ns: int) -> int:
        """Return the UTC of a monotonic time near the present."""
        return mono_ns + self._offset_ns

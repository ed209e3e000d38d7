"""The camera's media time on the recorder's clock.

A picture cannot have been taken after it arrived: of many pictures, the one that came with the least delay tells the
offset best. The estimate settles over the first second, then follows by at most 500 ppm; a lasting jump restarts it.
"""

from __future__ import annotations

from ingest.access_unit import TICKS_PER_S

SETTLE_NS = 700_000_000
_WINDOW_NS = 2_000_000_000
_JUMP_NS = 1_000_000_000
_BACK_TICKS = 5 * TICKS_PER_S  # B-frames behind a first picture are nearer to it than that
_SLEW = 500e-6
_NEVER_NS = 1 << 62
_NS_PER_TICK_NUM, _NS_PER_TICK_DEN = 1_000_000_000, TICKS_PER_S


def ticks_to_ns(ticks: int) -> int:
    """90 kHz to ns; floors."""
    return ticks * _NS_PER_TICK_NUM // _NS_PER_TICK_DEN


class MediaClock:
    """``observe()`` every picture as it arrives; ``time_ns()`` once ``settled``. All times monotonic ns."""

    __slots__ = (
        "_before_ns",
        "_before_ticks",
        "_first_ns",
        "_highest",
        "_late",
        "_least_ns",
        "_offset_ns",
        "_window_ns",
        "jumps",
        "settled",
    )

    def __init__(self) -> None:
        self._first_ns: int | None = None
        self._highest = self._before_ticks = 0  # the latest picture, and the latest before it came
        self._offset_ns = self._before_ns = 0
        self._least_ns = 0
        self._window_ns = 0
        self._late = False  # the last window's pictures all came much too late
        self.settled = False
        self.jumps = 0

    def observe(self, pts_ticks: int, arrived_ns: int) -> bool:
        """True when media time jumped against the recorder's clock: what follows is a new stretch."""
        delay_ns = arrived_ns - ticks_to_ns(pts_ticks)
        if self._first_ns is None:
            self._first_ns = self._window_ns = arrived_ns
            self._offset_ns = self._least_ns = delay_ns
            self._highest, self._before_ticks = pts_ticks, pts_ticks - _BACK_TICKS
            return False
        if pts_ticks > self._highest:
            self._before_ticks, self._highest = self._highest, pts_ticks
        elif pts_ticks < self._before_ticks:  # no B-frame is shown before that one: the camera's clock went back
            self._highest, self._before_ticks = pts_ticks, pts_ticks - _BACK_TICKS
            return self._jump(delay_ns, arrived_ns)
        if not self.settled:
            if delay_ns < self._offset_ns - _JUMP_NS:
                return self._jump(delay_ns, arrived_ns)
            self._offset_ns = min(self._offset_ns, delay_ns)
            if arrived_ns - self._first_ns >= SETTLE_NS:
                self.settled = True
                self._window_ns, self._least_ns = arrived_ns, delay_ns
            return False
        self._least_ns = min(self._least_ns, delay_ns)
        if delay_ns < self._offset_ns - _JUMP_NS:
            return self._jump(delay_ns, arrived_ns)  # pictures from the future: the camera's clock went ahead
        if arrived_ns - self._window_ns >= _WINDOW_NS:
            return self._follow(arrived_ns)
        return False

    def swap(self) -> None:
        """After a jump: ``time_ns()`` is as before it, for pictures from before it. Again: as after it."""
        self._offset_ns, self._before_ns = self._before_ns, self._offset_ns

    def time_ns(self, ticks: int) -> int:
        """The picture's time on the recorder's monotonic clock."""
        return ticks_to_ns(ticks) + self._offset_ns

    def _follow(self, arrived_ns: int) -> bool:
        error_ns = self._least_ns - self._offset_ns
        if error_ns > _JUMP_NS:
            if self._late:
                return self._jump(self._least_ns, arrived_ns)
            # Once it is a network that stood still, and perhaps all that came in that time: the next window tells.
            self._late = True
            self._window_ns, self._least_ns = arrived_ns, _NEVER_NS
            return False
        self._late = False
        limit = int((arrived_ns - self._window_ns) * _SLEW)
        self._offset_ns += max(-limit, min(limit, error_ns))
        self._window_ns, self._least_ns = arrived_ns, _NEVER_NS
        return False

    def _jump(self, delay_ns: int, arrived_ns: int) -> bool:
        self._late = False
        self._before_ns = self._offset_ns
        self._offset_ns = self._least_ns = delay_ns
        self._window_ns = arrived_ns
        self.jumps += 1
        return True


class RecorderClock:
    """UTC from the monotonic clock. Small corrections of the system's clock are followed; a step forward is told.

    A step backward is not followed: time that was recorded is not recorded again. ``behind_ns`` then says how far the
    system's clock lies behind ours, for an alarm.
    """

    __slots__ = ("_offset_ns", "behind_ns")

    def __init__(self, mono_ns: int, utc_ns: int) -> None:
        self._offset_ns = utc_ns - mono_ns
        self.behind_ns = 0

    def stepped(self, mono_ns: int, utc_ns: int) -> bool:
        """Whether the system's clock went ahead: the next ``observe()`` follows it."""
        return utc_ns - mono_ns - self._offset_ns > _JUMP_NS

    def observe(self, mono_ns: int, utc_ns: int) -> None:
        """Call about once a second."""
        error_ns = utc_ns - mono_ns - self._offset_ns
        self.behind_ns = max(0, -error_ns - _JUMP_NS)
        if error_ns > _JUMP_NS:
            self._offset_ns += error_ns
        elif error_ns >= -_JUMP_NS:
            self._offset_ns += max(-500_000, min(500_000, error_ns))

    def utc_ns(self, mono_ns: int) -> int:
        """UTC of a monotonic time near now."""
        return mono_ns + self._offset_ns

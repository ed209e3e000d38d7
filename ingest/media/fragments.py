"""Turns pictures into fragments of about half a second, moof and mdat, in decode order.

RTP carries presentation times only. Decode times are the pictures' presentation times, sorted within the fragment: a
fragment is cut only before a picture that is presented after all earlier ones, so its presentation times form a
contiguous stretch, with B-frames as well, and no decode time is guessed. A fragment ends when the next picture is
presented, which may not be the picture that is sent next: a cut waits for all pictures that are presented before it,
unless the stream has proved to keep its order. Many players mishandle negative composition offsets; a constant delay
keeps them positive, and an edit list in the init subtracts it again.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass

from ingest.access_unit import TICKS_PER_S, AccessUnit, VideoParameters
from storage.mp4 import Run

_LOST_AT_MOST_TICKS = TICKS_PER_S
_FRAME_TICKS_MAX = TICKS_PER_S * 10
_KEY, _OTHER = 0x02000000, 0x01010000  # sample_depends_on 2; 1 and sample_is_non_sync_sample
_DAMAGED = 0x0000FFFF  # sample_degradation_priority (ISO/IEC 14496-12, 8.8.3.1) marks a damaged picture
_MAX_BYTES = 16 << 20
_TRIAL, _FOR_EVER = 48, -1


@dataclass(slots=True)
class Fragment:
    """Pictures that become one moof and mdat once their segment is known. Ticks are the source's.

    run: their samples, with decode times from the fragment's start
    pictures: contents of the mdat, not joined, since the sealer copies them anyway
    """

    run: Run
    pictures: list[bytes]
    start_ticks: int
    end_ticks: int
    key: bool
    parameters: VideoParameters
    delay_ticks: int  # added to composition offsets (B-frames); the init's edit list subtracts it
    mono_ns: int  # arrival of the last picture


class FragmentWriter:
    """Takes pictures in decode order by ``push()``; returns a fragment once the next picture's time is known."""

    __slots__ = ("_bytes", "_cut_at", "_delay_ticks", "_frame_ticks", "_highest", "_longest_ticks", "_units", "_unsure")

    def __init__(self, longest_ticks: int = _FRAME_TICKS_MAX) -> None:
        """``longest_ticks``: the longest time that a picture may last; a longer pause is missing footage."""
        self._longest_ticks = longest_ticks
        self._units: list[AccessUnit] = []
        self._cut_at = 0  # number of pictures of the fragment whose end is not known yet
        self._bytes = 0
        self._highest = 0
        self._delay_ticks = 0
        self._frame_ticks = TICKS_PER_S // 25
        self._unsure = _TRIAL  # pictures left that may prove out-of-order sending; infinite once one did

    @property
    def waiting(self) -> int:
        """Number of pictures that are not in a fragment yet."""
        return len(self._units)

    def push(self, unit: AccessUnit) -> Fragment | None:
        """Take a picture; return the fragment that it, or the picture before it, completes."""
        units = self._units
        done = None
        # Only here may a fragment end: no earlier picture is presented after this one. A key frame or too many bytes
        # end it anyway.
        if units and (unit.pts_ticks > self._highest or unit.key or self._bytes > _MAX_BYTES):
            if self._cut_at:
                done = self._cut(self._cut_at, None)
                units = self._units
            first = units[0]
            lowest = first.pts_ticks if not self._unsure else min(each.pts_ticks for each in units)
            changed = unit.parameters is not first.parameters and unit.parameters != first.parameters
            large = self._bytes > _MAX_BYTES
            if unit.key or changed or large or self._long_enough(unit.pts_ticks - lowest, unit.pts_ticks):
                # Pictures that are presented before this one may still arrive: remember the place, and cut one picture
                # later.
                if self._unsure or done is not None:
                    self._cut_at = len(units)
                else:
                    done = self._cut(len(units), unit.pts_ticks)
                    units = self._units
        if not units or unit.pts_ticks > self._highest or unit.key:
            self._highest = unit.pts_ticks
            if self._unsure > 0:
                self._unsure -= 1
        else:
            self._unsure = _FOR_EVER
        units.append(unit)
        self._bytes += len(unit.data)
        return done

    def flush(self) -> Fragment | None:
        """Return waiting pictures as fragments, one per call, then None: the stream has ended or stalls."""
        return self._cut(self._cut_at or len(self._units), None) if self._units else None

    def _long_enough(self, ticks: int, next_ticks: int) -> bool:
        """Whether the fragment is full.

        A crash loses up to two fragments, since the one before the last is not sealed to its end, and the picture that
        completed the last one: together a second at most. So a fragment has twelve pictures at 25 a second, and fewer
        with B-frames, where it takes more pictures to complete one.
        """
        each = ticks // len(self._units)
        waits = next_ticks - self._highest if self._unsure < 0 else each if self._unsure else 0
        return 2 * (ticks + waits) + 3 * each > _LOST_AT_MOST_TICKS

    def _cut(self, count: int, next_ticks: int | None) -> Fragment:
        """Cut a fragment. ``next_ticks``: presentation time of the next picture; None: by what waits, or unknown."""
        units, rest = self._units[:count], self._units[count:]
        self._units, self._cut_at = rest, 0
        shown = sorted(unit.pts_ticks for unit in units)
        start = shown[0]
        if len(shown) > 1:
            self._frame_ticks = max(1, (shown[-1] - start) // (len(shown) - 1))
        needed = _later(units, shown)
        if rest:
            after = sorted(unit.pts_ticks for unit in rest)
            needed = max(needed, _later(rest, after))
            next_ticks = after[0]
            self._bytes = sum(len(unit.data) for unit in rest)
        else:
            self._bytes = 0
        if next_ticks is None or not 0 < next_ticks - shown[-1] <= self._longest_ticks:
            end = shown[-1] + self._frame_ticks
        else:
            end = next_ticks
        # The first fragment with B-frames fixes the delay: the init that carries it is written once per segment.
        if not self._delay_ticks:
            self._delay_ticks = needed
        if needed > self._delay_ticks:  # a pause among B-frames: the delay stays, and they are decoded a little earlier
            shown = _decoded([unit.pts_ticks for unit in units], shown, self._delay_ticks)
        shown.append(end)
        return Fragment(
            run=_run(units, shown, self._delay_ticks),
            pictures=[unit.data for unit in units],
            start_ticks=start,
            end_ticks=end,
            key=units[0].key,
            parameters=units[0].parameters,
            delay_ticks=self._delay_ticks,
            mono_ns=units[-1].mono_ns,
        )


def _later(units: list[AccessUnit], shown: list[int]) -> int:
    """Return the delay with which no picture is presented before it is decoded."""
    return max(decode - unit.pts_ticks for unit, decode in zip(units, shown, strict=True))


def _decoded(shown: list[int], even: list[int], delay: int) -> list[int]:
    """Return decode times as close to ``even`` as possible, none after its picture's presentation time."""
    decode, later = list(even), even[-1] + 1
    for number in range(len(shown) - 1, 0, -1):
        later = decode[number] = min(decode[number], shown[number] + delay, later - 1)
    for number in range(1, len(shown)):  # no room left: better a late picture than two in the wrong order
        decode[number] = max(decode[number], decode[number - 1] + 1)
    return decode


def retimed(fragment: Fragment, ticks: int) -> Run:
    """Return the fragment's samples, their times scaled to a total of ``ticks``."""
    run, count, delay = fragment.run, len(fragment.pictures), fragment.delay_ticks
    whole, ticks = max(1, fragment.end_ticks - fragment.start_ticks), max(ticks, count)
    old = run.decode_times
    shown = [(at - delay) * ticks // whole for at in run.shown_times]
    even = [n + (ticks - count) * at // whole for n, at in enumerate(old[:-1])]  # no time twice
    decode = [*_decoded(shown, even, delay), ticks]
    words = list(run.words)
    words[::4] = [max(1, after - before) for before, after in itertools.pairwise(decode)]
    words[3::4] = [max(0, at - decoded + delay) for at, decoded in zip(shown, decode, strict=False)]
    return Run(decode_ticks=0, words=tuple(words))


def _run(units: list[AccessUnit], decode: list[int], delay: int) -> Run:
    """Build the run. ``decode``: decode time of each picture, and the end of the last one."""
    words: list[int] = []
    for number, unit in enumerate(units):
        offset = max(0, unit.pts_ticks - decode[number] + delay)
        # Players ignore the degradation priority; our reader shows damaged pictures by it.
        flags = (_KEY if unit.key else _OTHER) | (_DAMAGED if unit.damaged else 0)
        words += (decode[number + 1] - decode[number], len(unit.data), flags, offset)
    return Run(decode_ticks=0, words=tuple(words))

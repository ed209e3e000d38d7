"""Pictures to fragments of about half a second: moof and mdat, decode order kept, composition offsets right.

Decode times are the pictures' own presentation times, sorted within the fragment. That works because fragments are
cut only before a picture that is shown after all those before it: a fragment's presentation times are then a
contiguous stretch, with B-frames as well, and no decode time has to be guessed. Where a fragment ends is when the next
picture is shown, which need not be the one that is sent next: a cut waits until all that are shown before that one
are here, unless the stream has shown that it keeps its order. Composition offsets are kept from being negative, which
players take badly, by a constant delay that an edit list in the init takes back.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass

from ingest.access_unit import TICKS_PER_S, AccessUnit, VideoParameters
from storage.mp4 import Run

_LOST_AT_MOST_TICKS = TICKS_PER_S
_FRAME_TICKS_MAX = TICKS_PER_S * 10
_KEY, _OTHER = 0x02000000, 0x01010000  # sample_depends_on 2; 1 and sample_is_non_sync_sample
_DAMAGED = 0x0000FFFF  # sample_degradation_priority (ISO/IEC 14496-12, 8.8.3.1): the mark of a damaged picture
_MAX_BYTES = 16 << 20
_TRIAL, _FOR_EVER = 48, -1


@dataclass(slots=True)
class Fragment:
    """Pictures that become one moof and mdat, once the segment is known that they belong to. Ticks are the source's.

    run: their samples, decode times counted from the fragment's start
    pictures: what the mdat holds, not joined, since the sealer copies them anyway
    """

    run: Run
    pictures: list[bytes]
    start_ticks: int
    end_ticks: int
    key: bool
    parameters: VideoParameters
    delay_ticks: int  # by how much its pictures are shown late unless the init takes it back (B-frames)
    mono_ns: int  # when the last picture arrived


class FragmentWriter:
    """``push()`` pictures in decode order; a fragment comes out once it is known when the picture after it is shown."""

    __slots__ = ("_bytes", "_cut_at", "_delay_ticks", "_frame_ticks", "_highest", "_longest_ticks", "_units", "_unsure")

    def __init__(self, longest_ticks: int = _FRAME_TICKS_MAX) -> None:
        """``longest_ticks``: without a picture for longer, the last one does not stand for the time until the next."""
        self._longest_ticks = longest_ticks
        self._units: list[AccessUnit] = []
        self._cut_at = 0  # so many of them are a fragment whose end is not known yet
        self._bytes = 0
        self._highest = 0
        self._delay_ticks = 0
        self._frame_ticks = TICKS_PER_S // 25
        self._unsure = _TRIAL  # so many pictures more may show that some are sent out of order; for ever if one did

    @property
    def waiting(self) -> int:
        """Pictures that are not in a fragment yet."""
        return len(self._units)

    def push(self, unit: AccessUnit) -> Fragment | None:
        """The fragment before ``unit``, or the one before that, if it ends there."""
        units = self._units
        done = None
        if units and (unit.pts_ticks > self._highest or unit.key or self._bytes > _MAX_BYTES):
            if self._cut_at:
                done = self._cut(self._cut_at, None)
                units = self._units
            first = units[0]
            lowest = first.pts_ticks if not self._unsure else min(each.pts_ticks for each in units)
            changed = unit.parameters is not first.parameters and unit.parameters != first.parameters
            large = self._bytes > _MAX_BYTES
            if unit.key or changed or large or self._long_enough(unit.pts_ticks - lowest, unit.pts_ticks):
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
        """What waits, as a fragment, until there is none: the stream has ended or stalls."""
        return self._cut(self._cut_at or len(self._units), None) if self._units else None

    def _long_enough(self, ticks: int, next_ticks: int) -> bool:
        """Whether one picture more would be too many.

        A death may take two fragments, the one before the last not being sealed to its end, and the picture that
        completed the last: a second at most. At 25 pictures a second a fragment has twelve of them; fewer with
        B-frames, where it is completed by the pictures until the next that is shown after all before.
        """
        each = ticks // len(self._units)
        waits = next_ticks - self._highest if self._unsure < 0 else each if self._unsure else 0
        return 2 * (ticks + waits) + 3 * each > _LOST_AT_MOST_TICKS

    def _cut(self, count: int, next_ticks: int | None) -> Fragment:
        """``next_ticks``: when the picture behind them is shown; None: by what waits, or not known."""
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
        if not self._delay_ticks:
            self._delay_ticks = needed
        if needed > self._delay_ticks:  # a pause among B-frames: the delay stays, they are decoded a little earlier
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
    """By how much these must be shown late so that none is shown before it is decoded."""
    return max(decode - unit.pts_ticks for unit, decode in zip(units, shown, strict=True))


def _decoded(shown: list[int], even: list[int], delay: int) -> list[int]:
    """Decode times, none after its picture is shown; as near to ``even`` as that allows, the first as it is there."""
    decode, later = list(even), even[-1] + 1
    for number in range(len(shown) - 1, 0, -1):
        later = decode[number] = min(decode[number], shown[number] + delay, later - 1)
    for number in range(1, len(shown)):  # no room: the picture is late rather than before another
        decode[number] = max(decode[number], decode[number - 1] + 1)
    return decode


def retimed(fragment: Fragment, ticks: int) -> Run:
    """The fragment's samples, their times stretched or squeezed to ``ticks`` in all."""
    run, count, delay = fragment.run, len(fragment.pictures), fragment.delay_ticks
    whole, ticks = max(1, fragment.end_ticks - fragment.start_ticks), max(ticks, count)
    old = run.decode_times
    shown = [(at - delay) * ticks // whole for at in run.shown_times]
    even = [n + (ticks - count) * at // whole for n, at in enumerate(old[:-1])]  # none twice
    decode = [*_decoded(shown, even, delay), ticks]
    words = list(run.words)
    words[::4] = [max(1, after - before) for before, after in itertools.pairwise(decode)]
    words[3::4] = [max(0, at - decoded + delay) for at, decoded in zip(shown, decode, strict=False)]
    return Run(decode_ticks=0, words=tuple(words))


def _run(units: list[AccessUnit], decode: list[int], delay: int) -> Run:
    """``decode``: when each picture is decoded, and when the last one ends."""
    words: list[int] = []
    for number, unit in enumerate(units):
        offset = max(0, unit.pts_ticks - decode[number] + delay)
        flags = (_KEY if unit.key else _OTHER) | (_DAMAGED if unit.damaged else 0)
        words += (decode[number + 1] - decode[number], len(unit.data), flags, offset)
    return Run(decode_ticks=0, words=tuple(words))

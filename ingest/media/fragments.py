"""Pictures to fragments of about half a second: moof and mdat, decode order kept, composition offsets right.

Decode times are the pictures' own presentation times, sorted within the fragment. That works because fragments are
cut only before a picture that is shown after all those before it: a fragment's presentation times are then a
contiguous stretch, with B-frames as well, and no decode time has to be guessed. Composition offsets are kept from
being negative, which players take badly, by a constant delay that an edit list in the init takes back.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

from ingest.access_unit import TICKS_PER_S, AccessUnit, VideoParameters

TFDT_AT = 8 + 16 + 8 + 20 + 12  # of baseMediaDecodeTime in a fragment: moof, mfhd, traf, tfhd, then tfdt's own head
_LOST_AT_MOST_TICKS = TICKS_PER_S
_FRAME_TICKS_MAX = TICKS_PER_S * 10
_HEAD = struct.Struct(">I4sI4sIII4sI4sIIII4sIQI4sIII")
_KEY, _OTHER = 0x02000000, 0x01010000  # sample_depends_on 2; 1 and sample_is_non_sync_sample
_TRUN_FLAGS = 0x01000F01  # version 1; data offset, duration, size, flags, composition offset
_TFHD_FLAGS = 0x020002  # default-base-is-moof, sample-description-index-present
_MAX_BYTES = 16 << 20


@dataclass(slots=True)
class Fragment:
    """Boxes ready to be appended once their decode time is put at TFDT_AT of the head. Ticks are the source's.

    head: moof and the beginning of mdat; pictures: what mdat holds, not joined, since whoever seals them copies anyway
    """

    head: bytearray
    pictures: list[bytes]
    start_ticks: int
    end_ticks: int
    key: bool
    frames: int
    parameters: VideoParameters
    delay_ticks: int  # by how much its pictures are shown late unless the init takes it back (B-frames)
    mono_ns: int  # when the last picture arrived


class FragmentWriter:
    """``push()`` pictures in decode order; a fragment comes out once the picture after it is known."""

    __slots__ = ("_bytes", "_delay_ticks", "_frame_ticks", "_highest", "_units")

    def __init__(self) -> None:
        self._units: list[AccessUnit] = []
        self._bytes = 0
        self._highest = 0
        self._delay_ticks = 0
        self._frame_ticks = TICKS_PER_S // 25

    @property
    def waiting(self) -> int:
        """Pictures that are not in a fragment yet."""
        return len(self._units)

    def push(self, unit: AccessUnit) -> Fragment | None:
        """The fragment before ``unit``, if it ends there."""
        units = self._units
        done = None
        if units and (unit.pts_ticks > self._highest or unit.key or self._bytes > _MAX_BYTES):
            long_enough = self._long_enough(unit.pts_ticks - units[0].pts_ticks)
            changed = unit.parameters is not units[0].parameters and unit.parameters != units[0].parameters
            if long_enough or unit.key or changed or self._bytes > _MAX_BYTES:
                done = self._cut(unit.pts_ticks)
                units = self._units
        if not units or unit.pts_ticks > self._highest:
            self._highest = unit.pts_ticks
        units.append(unit)
        self._bytes += len(unit.data)
        return done

    def flush(self) -> Fragment | None:
        """What waits, as a fragment: the stream has ended or stalls."""
        return self._cut(None) if self._units else None

    def _long_enough(self, ticks: int) -> bool:
        """Whether one picture more would be too many.

        A death may take two fragments, the one before the last not being sealed to its end, and the picture that
        completed the last: a second at most. At 25 pictures a second a fragment has twelve of them.
        """
        return 2 * ticks + 3 * ticks // len(self._units) > _LOST_AT_MOST_TICKS

    def _cut(self, next_ticks: int | None) -> Fragment:
        units, self._units, self._bytes = self._units, [], 0
        shown = sorted(unit.pts_ticks for unit in units)
        start = shown[0]
        reordered = any(unit.pts_ticks != pts for unit, pts in zip(units, shown, strict=True))
        if len(shown) > 1:
            self._frame_ticks = max(1, (shown[-1] - start) // (len(shown) - 1))
        if next_ticks is None or reordered or not 0 < next_ticks - shown[-1] <= _FRAME_TICKS_MAX:
            end = shown[-1] + self._frame_ticks
        else:
            end = next_ticks
        if reordered:
            needed = max(decode - unit.pts_ticks for unit, decode in zip(units, shown, strict=True))
            self._delay_ticks = max(self._delay_ticks, needed)
        shown.append(end)
        return Fragment(
            head=_head(units, shown, self._delay_ticks),
            pictures=[unit.data for unit in units],
            start_ticks=start,
            end_ticks=end,
            key=units[0].key,
            frames=len(units),
            parameters=units[0].parameters,
            delay_ticks=self._delay_ticks,
            mono_ns=units[-1].mono_ns,
        )


def _head(units: list[AccessUnit], decode: list[int], delay: int) -> bytearray:
    samples: list[int] = []
    size = 0
    for number, unit in enumerate(units):
        length = len(unit.data)
        size += length
        offset = unit.pts_ticks - decode[number] + delay
        samples += (decode[number + 1] - decode[number], length, _KEY if unit.key else _OTHER, offset)
    trun = 20 + 16 * len(units)
    traf = 8 + 20 + 20 + trun
    moof = 8 + 16 + traf
    head = _HEAD.pack(
        *(moof, b"moof", 16, b"mfhd", 0, 1),
        *(traf, b"traf", 20, b"tfhd", _TFHD_FLAGS, 1, 1),
        *(20, b"tfdt", 0x01000000, 0),
        *(trun, b"trun", _TRUN_FLAGS, len(units), moof + 8),
    )
    table = struct.pack(f">{len(samples)}I", *samples)
    mdat = struct.pack(">I4s", 8 + size, b"mdat")
    return bytearray(b"").join((head, table, mdat))

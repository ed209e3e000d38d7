"""One track of an interleaved connection: frames in, access units out, without an object per packet.

A frame (RFC 2326, 10.12) is ``$``, channel, length in 2 bytes, and an RTP packet (RFC 3550, 5.1). Nearly all packets
are the middle of a fragmented NAL unit and differ from their neighbours only in the sequence number: they are taken in
a tight loop, everything else packet by packet.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Protocol

from ingest.access_unit import TICKS_PER_S, AccessUnit, Loss
from ingest.rtp.pictures import Pictures

SLACK: Final = 32  # bytes that a buffer must have behind what is in it
_HEAD: Final = struct.Struct(">HHHHQI")  # $ and channel, length, flags and type, sequence, time and source, payload
_NONE: Final = -1
_VERSION: Final = 0x8000
_MARKER: Final = 0x0080
_LAST: Final = 0x40  # the bit of the fragment header that ends a NAL unit
_LATE: Final = 256  # packets that come this much too late are repeated ones; more is a new numbering
_Items = list[AccessUnit | Loss]


@dataclass(frozen=True, slots=True)
class _Held:
    """A packet of another source, as it came. One that follows it at once shows that it is no stray one."""

    frame: bytes
    start: int
    kind: int
    sequence: int
    clock: int
    expected: int  # of the source until then, which has sent nothing since

    def followed_by(self, other: _Held) -> bool:
        return (
            not (self.clock ^ other.clock) & 0xFFFFFFFF
            and other.sequence == self.sequence + 1 & 0xFFFF
            and self.expected == other.expected
        )


class Payload(Protocol):
    """How a codec is put into packets.

    shift, skip: the fragment's headers are the first (32 - shift) bits of the payload; skip bytes from the frame's
    start its data begins
    slices: of the fragment headers that begin a slice: the NAL unit's header, its role, the headers that continue it
    """

    pictures: Pictures
    shift: int
    skip: int
    slices: Mapping[int, tuple[bytes, int, int]]

    def take(self, view: memoryview, start: int, stop: int) -> int:
        """One packet's payload, not empty; gives the fragment headers that would continue it, or -1."""
        ...

    def continues(self, view: memoryview, start: int, stop: int) -> bool:
        """A slice that is not the first of its picture begins here."""
        ...


class Track:
    """``walk()`` over received bytes.

    lost_packets, late_packets, malformed, foreign: counters, the last for packets of another payload type, and of
    another source that no second one follows
    """

    __slots__ = (
        "_by_time", "_clock", "_clock_ns", "_expected", "_finished", "_lead", "_middle", "_newest", "_payload",
        "_pictures", "_pieces", "_plain", "_pts", "_slices", "_stray", "_stride", "foreign", "late_packets",
        "lost_packets", "malformed",
    )  # fmt: skip

    def __init__(self, channel: int, payload_type: int, payload: Payload) -> None:
        self._lead = 0x2400 | channel
        self._plain = _VERSION | payload_type
        self._payload = payload
        self._slices = payload.slices
        self._pictures = payload.pictures
        self._expected = _NONE
        self._clock, self._clock_ns, self._pts = _NONE, 0, 0
        self._newest = 0  # of all pictures: times go back where there are B-frames
        self._middle = _NONE
        self._by_time = False  # the camera sets the marker wrongly: a picture ends where the timestamp changes
        self._finished = False  # by the marker, and nothing came since
        self._stride, self._pieces = 0, _HEAD.iter_unpack
        self._stray: _Held | None = None
        self.lost_packets = self.late_packets = self.malformed = self.foreign = 0

    def walk(self, view: memoryview, at: int, end: int, mono_ns: int, out: _Items) -> int:
        """This track's frames from ``at`` on, to the first that is not, or is not whole; gives where that begins."""
        unpack, lead, plain, pictures = _HEAD.unpack_from, self._lead, self._plain, self._pictures
        shift, skip = self._payload.shift, self._payload.skip
        last = plain | (_NONE if self._by_time else _MARKER)
        while end - at >= 4:
            first, length, kind, sequence, clock, mark = unpack(view, at)
            after = at + 4 + length
            if first != lead or after > end:
                break
            if sequence != self._expected or length <= skip:
                pass
            elif clock == self._clock:
                fragment = mark >> shift ^ self._middle
                if not fragment and kind == plain:
                    stride = length + 4
                    if stride != self._stride:
                        self._measure(stride)
                    append = pictures.parts.append
                    pieces = self._pieces(view[at : end - (end - at) % stride])
                    same, _, alike = next(pieces)
                    append(view[at + skip : after])
                    sequence = sequence + 1 & 0xFFFF
                    for one, number, other in pieces:
                        if number != sequence or other != alike or one != same:
                            break
                        at = after
                        after = at + stride
                        append(view[at + skip : after])
                        sequence = sequence + 1 & 0xFFFF
                    self._expected = sequence
                    at = after
                    continue
                if fragment == _LAST and kind == last and not self._by_time:
                    pictures.parts.append(view[at + skip : after])
                    self._expected = sequence + 1 & 0xFFFF
                    self._middle, self._finished = _NONE, True
                    pictures.finish(mono_ns, out)
                    at = after
                    continue
            elif self._finished and kind == plain and not (clock ^ self._clock) & 0xFFFFFFFF:
                begun = self._slices.get(mark >> shift)
                if begun is not None and not pictures.parts:
                    header, role, self._middle = begun
                    self._count_on(clock, mono_ns)
                    self._finished = False
                    pictures.begin_slice(header, role, view[at + skip : after], mark >> shift - 8 & 0x80)
                    self._expected = sequence + 1 & 0xFFFF
                    at = after
                    continue
            self._packet(view, at, after, kind, sequence, clock, mono_ns, out)
            at = after
        if pictures.parts:
            pictures.keep(out)
        return at

    @property
    def passed_over(self) -> int:
        """See Pictures."""
        return self._pictures.passed_over

    def ticks_of(self, clock: int) -> int | None:
        """A packet's 32-bit time on the pictures' timeline; None before the first packet."""
        if self._clock == _NONE:
            return None
        delta = clock - (self._clock >> 32) & 0xFFFFFFFF
        return self._pts + delta - (delta >> 31 << 32)

    def _measure(self, stride: int) -> None:
        """Frames of this size hold pieces; only their headers are looked at."""
        skip = self._payload.skip
        self._stride, self._pieces = stride, struct.Struct(f">6sH{skip - 8}s{stride - skip}x").iter_unpack

    def _packet(
        self, view: memoryview, at: int, stop: int, kind: int, sequence: int, clock: int, mono_ns: int, out: _Items
    ) -> None:
        start = at + 16
        if kind & ~_MARKER != self._plain or stop < start:
            start, stop = self._bounds(view, at + 4, stop)
            if start < 0:
                return
        if (clock ^ self._clock) & 0xFFFFFFFF and self._clock != _NONE:
            held = _Held(bytes(view[at:stop]), start - at, kind, sequence, clock, self._expected)
            first, self._stray = self._stray, held
            if first is None or not first.followed_by(held):
                self.foreign += first is not None
                return
            self._stray = None
            before = memoryview(first.frame)
            self._take(before, first.start, len(before), first.kind, first.sequence, first.clock, mono_ns, out)
        self._take(view, start, stop, kind, sequence, clock, mono_ns, out)

    def _take(
        self,
        view: memoryview,
        start: int,
        stop: int,
        kind: int,
        sequence: int,
        clock: int,
        mono_ns: int,
        out: _Items,
    ) -> None:
        """A packet of the source."""
        if sequence != self._expected and not self._in_order(sequence, clock, out):
            return
        self._expected = sequence + 1 & 0xFFFF
        if clock != self._clock:
            self._new_time(clock, mono_ns, out)
        elif self._finished:
            self._same_time(view, start, stop, out)
        if stop > start:
            self._middle = self._payload.take(view, start, stop)
        if kind & _MARKER and not self._by_time:
            if self._pictures.open:  # in the middle of a NAL unit
                self._by_time = True
                return
            self._finished = self._pictures.pictured
            self._pictures.finish(mono_ns, out)
            self._middle = _NONE

    def _bounds(self, view: memoryview, start: int, stop: int) -> tuple[int, int]:
        """Of the payload of a packet that is not the plain kind; (-1, -1) for one to be passed over."""
        if stop - start < 12 or view[start] >> 6 != 2:
            self.malformed += 1
            return -1, -1
        if view[start + 1] & 0x7F != self._plain & 0x7F:
            self.foreign += 1
            return -1, -1
        flags = view[start]
        start += 12 + 4 * (flags & 0x0F)
        if flags & 0x10:
            start += 4 + 4 * int.from_bytes(view[start + 2 : start + 4], "big")
        if flags & 0x20:
            stop -= view[stop - 1]
        if stop < start:
            self.malformed += 1
            return -1, -1
        return start, stop

    def _in_order(self, sequence: int, clock: int, out: _Items) -> bool:
        """False for a repeated packet."""
        if self._expected == _NONE or (clock ^ self._clock) & 0xFFFFFFFF:
            return True  # the first, or another source: told where time changes
        lost = sequence - self._expected & 0xFFFF
        if lost >= 0x10000 - _LATE and (self.ticks_of(clock >> 32) or 0) <= self._newest:
            self.late_packets += 1
            return False
        if lost >= 0x8000:
            lost = 0
        self.lost_packets += lost
        self._pictures.lost(lost, "packets are missing" if lost else "the packets' numbers jumped", out)
        self._middle = _NONE
        self._finished = False
        return True

    def _new_time(self, clock: int, mono_ns: int, out: _Items) -> None:
        pictures = self._pictures
        if self._clock == _NONE:
            self._pts = self._newest = clock >> 32
        elif (clock ^ self._clock) & 0xFFFFFFFF:
            # Another source counts from elsewhere: go on by our clock.
            pictures.lost(0, "the camera began a new stream", out)
            pictures.finish(mono_ns, out)
            self._pts = self._newest = self._newest + max(1, (mono_ns - self._clock_ns) * TICKS_PER_S // 1_000_000_000)
        else:
            if not self._finished:
                pictures.finish(mono_ns, out)
            self._count_on(clock, mono_ns)
        pictures.pts_ticks = self._pts
        self._clock, self._clock_ns = clock, mono_ns
        self._middle = _NONE
        self._finished = False

    def _count_on(self, clock: int, mono_ns: int) -> None:
        """The same source's next time, or one up to half of all times back."""
        delta = (clock >> 32) - (self._clock >> 32) & 0xFFFFFFFF
        self._pictures.pts_ticks = self._pts = self._pts + delta - (delta >> 31 << 32)
        self._newest = max(self._newest, self._pts)
        self._clock, self._clock_ns = clock, mono_ns

    def _same_time(self, view: memoryview, start: int, stop: int, out: _Items) -> None:
        """After the marker: more slices of that picture show that the marker does not say what it should."""
        if stop > start and self._payload.continues(view, start, stop):
            self._by_time = True
            self._pictures.lost(0, "the camera marks the end of pictures wrongly", out)
        self._finished = False

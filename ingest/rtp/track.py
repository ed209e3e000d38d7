"""One track of an interleaved connection: frames in, access units out, without an object per packet.

A frame (RFC 2326, 10.12) is ``$``, channel, length in 2 bytes, and an RTP packet (RFC 3550, 5.1). Nearly all packets
are the middle of a fragmented NAL unit and differ from their neighbours only in the sequence number: they are taken in
a tight loop, everything else packet by packet.

Bytes go through these, one after the other, and come out as access units:
    Track        frames to packets of one source, in order; when one access unit ends and the next begins
    Payload      a packet's payload to pieces of NAL units (h264.py, h265.py)
    Assembly     pieces to NAL units, NAL units to an access unit
    Pictures     which access units are given out, and what lost packets cost
``Track.check()`` holds the state of all of them together. Nothing here knows of connections or of time but by what it
is told: the way from bytes to access units is ``walk()``, a function over a buffer.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Final

from ingest.access_unit import TICKS_PER_S, AccessUnit, Loss, VideoParameters
from ingest.errors import StreamError
from ingest.rtp import h264, h265
from ingest.rtp.assembly import Assembly
from ingest.rtp.counts import Counts
from ingest.rtp.frames import DOLLAR, HEAD_BYTES, Frames, may_follow
from ingest.rtp.numbers import LATE, NUMBERS, Hole, Numbering, hole
from ingest.rtp.packet import Payload, PayloadBounds
from ingest.rtp.pictures import Pictures
from ingest.rtp.timeline import Timeline

_HEAD: Final = struct.Struct(">HHHHQI")  # $ and channel, length, flags and type, sequence, time and source, payload
_NONE: Final = -1
_TORN: Final = NUMBERS  # of the number that is expected: a frame was cut short before it; no packet has that number
_VERSION, _VERSIONS = 0x8000, 0xC000
_MARKER: Final = 0x0080
_TYPE: Final = 0x7F
_LAST: Final = 0x40  # the bit of the fragment header that ends a NAL unit
_SOURCE: Final = 0xFFFFFFFF
_PAYLOAD_AT: Final = HEAD_BYTES + 12  # in a frame with a plain header
_UNBOUNDED: Final = 1 << 62
_Items = list[AccessUnit | Loss]


@dataclass(frozen=True, slots=True)
class _Held:
    """A packet of another source, as it came. One that follows it at once shows that it is no stray one."""

    frame: bytes
    start: int
    kind: int
    sequence: int
    stamp: int
    expected: int  # of the source until then, which has sent nothing since

    def followed_by(self, other: _Held) -> bool:
        return (
            not (self.stamp ^ other.stamp) & _SOURCE
            and other.sequence == self.sequence + 1 & NUMBERS - 1
            and self.expected == other.expected
        )


class Track:
    """``walk()`` over received bytes. ``counts``: see Counts."""

    __slots__ = (
        "_assembly", "_bounds", "_by_time", "_expected", "_finished", "_frames", "_lead", "_marks", "_middle",
        "_numbering", "_payload", "_pictures", "_pieces", "_plain", "_stamp", "_stamp_ns", "_stray", "_stride",
        "_timeline", "counts",
    )  # fmt: skip

    def __init__(
        self,
        channel: int,
        payload_type: int,
        codec: str,
        *,
        parameters: VideoParameters | None = None,
        clock_rate: int = TICKS_PER_S,
        reliable: bool = True,
        counts: Counts | None = None,
    ) -> None:
        """codec: "h264" or "h265"; parameters, clock_rate: by the session description, Hz, 0 where it says nothing
        reliable: the transport loses nothing; counts: to count in
        """
        self.counts = counts if counts is not None else Counts()
        self._assembly = Assembly(codec, h264.SLICES if codec == "h264" else h265.SLICES, self.counts)
        self._numbering = Numbering(reliable=reliable)
        self._pictures = Pictures(self._assembly, self.counts, self._numbering, parameters)
        payload = h264.H264Payload if codec == "h264" else h265.H265Payload
        self._payload: Payload = payload(self._assembly, self.counts)
        self._timeline = Timeline(clock_rate)
        self._bounds = PayloadBounds()
        self._frames = Frames()
        self._frames.expect(channel, payload_type)
        self._lead = DOLLAR << 8 | channel
        self._plain = _VERSION | payload_type
        self._expected = _NONE  # the next sequence number
        self._stamp, self._stamp_ns = _NONE, 0  # RTP time and source of the access unit under way, and when it came
        self._middle = _NONE  # the fragment headers that continue the NAL unit under way
        self._by_time = False  # the camera sets the marker wrongly: an access unit ends where the timestamp changes
        self._marks = False  # the camera sets the marker, rightly as far as is known
        self._finished = False  # by the marker, and nothing came since
        self._stride, self._pieces = 0, _HEAD.iter_unpack
        self._stray: _Held | None = None

    def check(self) -> None:
        """AssertionError unless the state of the whole way makes sense."""
        self._assembly.check()
        self._pictures.check()
        assert self._middle == _NONE or self._assembly.open_at >= 0, "only a NAL unit under way can be continued"
        assert not self._finished or self._assembly.open_at < 0, "the marker ends all that is under way"
        assert (self._stamp == _NONE) == (self._expected == _NONE)
        assert self._timeline.newest_ticks >= self._timeline.ticks

    def walk(self, view: memoryview, at: int, end: int, mono_ns: int, out: _Items, work_max: int = _UNBOUNDED) -> int:
        """This track's frames from ``at`` on; gives where the first begins that is not taken.

        That is one of another channel, one that is not whole, one behind which comes what may not follow a frame (see
        ``frame()``), one without RTP's version in which another begins, or any one once ``counts.work`` > ``work_max``.
        SLACK bytes behind ``end`` are read.
        """
        unpack, lead, plain, assembly = _HEAD.unpack_from, self._lead, self._plain, self._assembly
        shift, skip, dollar, counts = self._payload.shift, self._payload.skip, DOLLAR, self.counts
        last = plain | (_NONE if self._by_time else _MARKER)
        while end - at >= HEAD_BYTES:
            first, length, kind, sequence, stamp, begins = unpack(view, at)
            after = at + HEAD_BYTES + length
            if first != lead or after > end:
                break
            if (view[after] != dollar or after == end) and self._cut_short(view, at, after, end):
                break
            if sequence != self._expected or length <= skip:
                pass
            elif stamp == self._stamp:
                fragment = begins >> shift ^ self._middle
                if not fragment and kind == plain:
                    stride = length + HEAD_BYTES
                    if stride != self._stride:
                        self._measure(stride)
                    append = assembly.parts.append
                    pieces = self._pieces(view[at : end - (end - at) % stride])
                    same, _, alike = next(pieces)
                    append(view[at + skip : after])
                    sequence += 1
                    for one, number, other in pieces:  # to where the numbers begin anew
                        if number != sequence or other != alike or one != same:
                            break
                        at = after
                        after = at + stride
                        append(view[at + skip : after])
                        sequence += 1
                    if (view[after] != dollar or after == end) and self._cut_short(view, at, after, end):
                        assembly.parts.pop()
                        self._expected = sequence - 1 & 0xFFFF
                        break
                    self._expected = sequence & 0xFFFF
                    at = after
                    continue
                if fragment == _LAST and kind == last and not self._by_time:
                    assembly.parts.append(view[at + skip : after])
                    self._expected = sequence + 1 & 0xFFFF
                    self._middle, self._finished = _NONE, True
                    self._pictures.finish(self._timeline.ticks, mono_ns, out)
                    at = after
                    if counts.work > work_max:
                        break
                    continue
            elif self._finished and kind == plain and not (stamp ^ self._stamp) & _SOURCE:
                begun = assembly.start_codes.begins.get(begins >> shift)
                if begun is not None and not assembly.parts:
                    header, role, self._middle = begun
                    self._timeline.advance(stamp >> 32)
                    self._stamp, self._stamp_ns, self._finished = stamp, mono_ns, False
                    assembly.begin_slice(header, role, view[at + skip : after])
                    self._expected = sequence + 1 & 0xFFFF
                    at = after
                    continue
            if kind & _VERSIONS != _VERSION and self._frames.find(view, at + 1, after, self.source)[1]:
                break
            self._packet(view, at, after, kind, sequence, stamp, mono_ns, out)
            at = after
            if counts.work > work_max:
                break
        if assembly.parts and not assembly.keep():
            self._give_up(out)
        return at

    def frame(self, view: memoryview, at: int, after: int, mono_ns: int, out: _Items) -> None:
        """One frame of this track, whatever comes behind it."""
        _, _, kind, sequence, stamp, _ = _HEAD.unpack_from(view, at)
        self._packet(view, at, after, kind, sequence, stamp, mono_ns, out)
        if self._assembly.parts and not self._assembly.keep():
            self._give_up(out)

    def tear(self) -> None:
        """A frame was cut short, or what looked like one: the next packet's number shows whether one is missing."""
        if self._expected != _NONE:
            self._expected |= _TORN

    @property
    def passed_over(self) -> int:
        """See Pictures."""
        return self._pictures.passed_over

    @property
    def under_way(self) -> bool | None:
        """A picture has begun and not ended; None where its end does not show, since the camera sets no marker."""
        return not self._finished if self._marks else None

    @property
    def shares_numbers(self) -> bool:
        """See Numbering."""
        return self._numbering.shared

    @property
    def source(self) -> int:
        """Of the packets (RFC 3550, 5.1, SSRC); -1 before the first."""
        return self._stamp & _SOURCE if self._stamp != _NONE else _NONE

    @property
    def lost_packets(self) -> int:
        """See Counts."""
        return self.counts.lost

    @property
    def malformed(self) -> int:
        """See Counts."""
        return self.counts.malformed

    def ticks_of(self, clock: int) -> int | None:
        """A packet's 32-bit time on the pictures' timeline, 90 kHz; None before the first packet."""
        return self._timeline.ticks_of(clock)

    # -- Packet by packet

    def _cut_short(self, view: memoryview, at: int, after: int, end: int) -> bool:
        """Behind a frame comes what may not follow one, or nothing yet, and another frame begins within it."""
        if after < end:
            return not may_follow(view, after, end)
        return self._frames.find(view, at + 1, after, self.source)[1]

    def _measure(self, stride: int) -> None:
        """Frames of this size hold pieces; only their headers are looked at."""
        skip = self._payload.skip
        self._stride, self._pieces = stride, struct.Struct(f">6sH{skip - 8}s{stride - skip}x").iter_unpack
        self.counts.work += 1

    def _packet(
        self, view: memoryview, at: int, stop: int, kind: int, sequence: int, stamp: int, mono_ns: int, out: _Items
    ) -> None:
        self.counts.work += 1
        start = at + _PAYLOAD_AT
        if kind & ~_MARKER != self._plain or stop < start:
            start, stop = self._payload_bounds(view, at + HEAD_BYTES, stop)
            if start < 0:
                return
        if self._stamp != _NONE and (stamp ^ self._stamp) & _SOURCE:
            held = _Held(bytes(view[at:stop]), start - at, kind, sequence, stamp, self._expected)
            first, self._stray = self._stray, held
            if first is None or not first.followed_by(held):
                self.counts.foreign += first is not None
                return
            self._stray = None
            before = memoryview(first.frame)
            self._take(before, first.start, len(before), first.kind, first.sequence, first.stamp, mono_ns, out)
        self._take(view, start, stop, kind, sequence, stamp, mono_ns, out)

    def _payload_bounds(self, view: memoryview, start: int, stop: int) -> tuple[int, int]:
        """Of a packet that is not the plain kind; (-1, -1) for one to be passed over."""
        version = view[start] >> 6 if stop > start else 0
        if version == _VERSION >> 14 and (found := view[start + 1] & _TYPE) != self._plain & _TYPE:
            self.counts.foreign += 1
            self.counts.foreign_type = found
            return _NONE, _NONE
        bounds = self._bounds.of(view, start, stop)
        if bounds[0] < 0:
            self.counts.malformed += 1
        return bounds

    def _take(
        self,
        view: memoryview,
        start: int,
        stop: int,
        kind: int,
        sequence: int,
        stamp: int,
        mono_ns: int,
        out: _Items,
    ) -> None:
        """A packet of the source."""
        goes_on = self._payload.goes_on(view, start, stop) if sequence != self._expected else False
        if sequence != self._expected and not self._in_order(sequence, stamp, goes_on=goes_on):
            return
        self._expected = sequence + 1 & 0xFFFF
        if stamp != self._stamp:
            self._new_time(stamp, mono_ns, out)
        elif self._finished:
            self._same_time(view, start, stop, out)
        if stop > start:
            self._middle = self._pieces_of(view, start, stop)
        if kind & _MARKER and not self._by_time:
            if self._assembly.open_at >= 0:  # in the middle of a NAL unit
                self._by_time, self._marks = True, False
                return
            self._marks = True
            self._finished = self._assembly.sliced or self._assembly.torn
            self._pictures.finish(self._timeline.ticks, mono_ns, out)
            self._middle = _NONE

    def _pieces_of(self, view: memoryview, start: int, stop: int) -> int:
        """One packet of a kind that is not spoken here is a damaged one, once others were understood."""
        try:
            return self._payload.take(view, start, stop)
        except StreamError:
            if not self._pictures.started:
                raise
            self.counts.malformed += 1
            return _NONE

    def _in_order(self, sequence: int, stamp: int, *, goes_on: bool) -> bool:
        """Another number than the next one. False for a repeated packet."""
        if self._expected == _NONE or (stamp ^ self._stamp) & _SOURCE:
            return True  # the first, or another source, which is told where time changes
        numbering, torn = self._numbering, self._expected & _TORN
        self._expected &= ~_TORN
        if sequence == self._expected:
            return True
        behind = self._expected - sequence & NUMBERS - 1
        if behind <= LATE and (self.ticks_of(stamp >> 32) or 0) <= self._timeline.newest_ticks:
            self.counts.late += 1
            self._expected |= torn
            return False
        found = hole(self._expected, sequence)
        if stamp == self._stamp and not self._finished:
            if not self._assembly.torn:
                numbering.within(found, fits=not torn and goes_on == (self._assembly.open_at >= 0))
            if not torn and numbering.passes(found):
                self.counts.unnumbered += found.packets
                return True
            self._pictures.tear(found.packets)
        elif not self._finished and (torn or self._marks or self._assembly.open_at >= 0 or not numbering.reliable):
            numbering.within(found, fits=False)
            self._pictures.tear(found.packets)  # its end; perhaps the next one's beginning, too, which will show it
        else:
            before = self._pictures.hole
            self._pictures.hole = Hole(found.packets + (before.packets if before is not None else 0))
        self._middle = _NONE
        return True

    def _new_time(self, stamp: int, mono_ns: int, out: _Items) -> None:
        timeline = self._timeline
        if self._stamp == _NONE:
            timeline.begin(stamp >> 32)
        elif (stamp ^ self._stamp) & _SOURCE:
            # Another source counts from elsewhere: go on by our clock.
            self._pictures.begin_anew("the camera began a new stream", out)
            self._bounds = PayloadBounds()
            elapsed = (mono_ns - self._stamp_ns) * TICKS_PER_S // 1_000_000_000
            timeline.begin_at(stamp >> 32, timeline.newest_ticks + max(1, elapsed))
        else:
            if not self._finished:
                self._pictures.finish(timeline.ticks, mono_ns, out)
            timeline.advance(stamp >> 32)
        self._stamp, self._stamp_ns = stamp, mono_ns
        self._middle = _NONE
        self._finished = False

    def _same_time(self, view: memoryview, start: int, stop: int, out: _Items) -> None:
        """After the marker: more slices of that picture show that the marker does not say what it should."""
        if stop > start and self._payload.continues(view, start, stop):
            self._by_time, self._marks = True, False
            self._pictures.spoil("the camera marks the end of pictures wrongly", out)
        self._finished = False

    def _give_up(self, out: _Items) -> None:
        self.counts.overlong += 1
        self._middle = _NONE
        self._pictures.spoil("a picture of more than 16 MiB", out)

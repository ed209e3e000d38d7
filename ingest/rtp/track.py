"""One track of an interleaved connection: frames in, access units out, without an object per packet.

A frame (RFC 2326, 10.12) is ``$``, channel, length in 2 bytes, and an RTP packet (RFC 3550, 5.1). Nearly all packets
are fragments of slices, in order: ``ingest.native`` takes them together, a row for each picture. All others are taken
here, one by one.

Bytes pass through these, and come out as access units:
    Track        frames to packets of one source, in order; when one access unit ends and the next begins
    Payload      a packet's payload to pieces of NAL units (h264.py, h265.py)
    Assembly     pieces to NAL units, NAL units to an access unit
    Pictures     which access units are delivered, and what lost packets cost
``Track.check()`` asserts that their states agree. No I/O and no clock: ``walk()`` is a function over a buffer.
"""

from __future__ import annotations

import struct
from typing import Final

from ingest.access_unit import TICKS_PER_S, AccessUnit, Loss, VideoParameters
from ingest.errors import StreamError
from ingest.native import make_scan
from ingest.native.form import BY_TIME, FINISHED, FIRST, MAY_BEGIN
from ingest.rtp import h264, h265
from ingest.rtp.assembly import Assembly
from ingest.rtp.counts import Counts
from ingest.rtp.frames import DOLLAR, HEAD_BYTES, Frames, may_follow
from ingest.rtp.numbers import LATE, NUMBERS, Hole, Numbering, hole
from ingest.rtp.packet import SOURCE, Held, Payload, PayloadBounds
from ingest.rtp.pictures import Pictures
from ingest.rtp.timeline import Timeline

_HEAD: Final = struct.Struct(">HHHHQ")  # $ and channel, length, flags and type, sequence, time and source
_NONE: Final = -1
_TORN: Final = NUMBERS  # a bit of the expected number: a frame was cut short before it; no packet has such a number
_VERSION, _VERSIONS = 0x8000, 0xC000
_MARKER: Final = 0x0080
_TYPE: Final = 0x7F
_PAYLOAD_AT: Final = HEAD_BYTES + 12  # in a frame with a plain header
_UNBOUNDED: Final = 1 << 62
_Items = list[AccessUnit | Loss]


class Track:
    """One track. Pass received bytes to ``walk()``. ``counts``: see Counts."""

    __slots__ = (
        "_assembly", "_bounds", "_by_time", "_expected", "_finished", "_frames", "_lead", "_marks", "_middle",
        "_numbering", "_payload", "_pictures", "_plain", "_scan", "_slices", "_stamp", "_stamp_ns", "_stray",
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
        """codec: "h264" or "h265"
        parameters, clock_rate: from the session description; the rate in Hz, 0: not stated
        reliable: the transport loses nothing
        counts: the counters to use
        """
        self.counts = counts if counts is not None else Counts()
        packetization = h264 if codec == "h264" else h265
        self._slices = packetization.SLICES
        self._assembly = Assembly(codec, self.counts)
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
        self._scan = make_scan(self._lead, self._plain, packetization.FORM)
        self._expected = _NONE  # the next sequence number
        self._stamp, self._stamp_ns = _NONE, 0  # RTP time and SSRC of the current access unit, and its arrival
        self._middle = _NONE  # the fragment headers that continue the current NAL unit
        self._by_time = False  # the camera sets the marker wrongly: an access unit ends where the timestamp changes
        self._marks = False  # the camera sets the marker, correctly so far
        self._finished = False  # the marker ended the access unit, and no packet has followed
        self._stray: Held | None = None

    def check(self) -> None:
        """AssertionError unless the states of all parts agree."""
        self._assembly.check()
        self._pictures.check()
        assert self._middle == _NONE or self._assembly.open_at >= 0, "only a NAL unit under way can be continued"
        assert not self._finished or self._assembly.open_at < 0, "the marker ends all that is under way"
        assert (self._stamp == _NONE) == (self._expected == _NONE)
        assert self._timeline.newest_ticks >= self._timeline.ticks

    def walk(self, view: memoryview, at: int, end: int, mono_ns: int, out: _Items, work_max: int = _UNBOUNDED) -> int:
        """Take this track's frames from ``at`` on; return the start of the first that is not taken.

        Not taken: a frame of another channel, an incomplete one, one followed by bytes that may not follow a frame
        (see ``frame()``), one without RTP's version within which another begins, and any after ``work_max``.
        Reads up to SLACK bytes beyond ``end``.
        """
        unpack, counts = _HEAD.unpack_from, self.counts
        while end - at >= HEAD_BYTES:
            at = self._usual(view, at, end, mono_ns, out)
            if counts.work > work_max or end - at < HEAD_BYTES:
                break
            first, length, kind, sequence, stamp = unpack(view, at)
            after = at + HEAD_BYTES + length
            if first != self._lead or after > end:
                break
            if (view[after] != DOLLAR or after == end) and self._cut_short(view, at, after, end):
                break
            if kind & _VERSIONS != _VERSION and self._frames.find(view, at + 1, after, self.source)[1]:
                break
            self._packet(view, at, after, kind, sequence, stamp, mono_ns, out)
            at = after
            if counts.work > work_max:
                break
        if self._assembly.parts and not self._assembly.keep():
            self._give_up(out)
        return at

    def frame(self, view: memoryview, at: int, after: int, mono_ns: int, out: _Items) -> None:
        """Take one frame of this track, whatever follows it."""
        _, _, kind, sequence, stamp = _HEAD.unpack_from(view, at)
        self._packet(view, at, after, kind, sequence, stamp, mono_ns, out)
        if self._assembly.parts and not self._assembly.keep():
            self._give_up(out)

    def tear(self) -> None:
        """Note a frame that was cut short: the next packet's number shows whether a packet is missing."""
        if self._expected != _NONE:
            self._expected |= _TORN

    @property
    def passed_over(self) -> int:
        """See Pictures."""
        return self._pictures.passed_over

    @property
    def under_way(self) -> bool | None:
        """Whether a picture has begun and not ended; None: unknown, since the camera sets no marker."""
        return not self._finished if self._marks else None

    @property
    def shares_numbers(self) -> bool:
        """See Numbering."""
        return self._numbering.shared

    @property
    def source(self) -> int:
        """SSRC of the packets (RFC 3550, 5.1); -1 before the first."""
        return self._stamp & SOURCE if self._stamp != _NONE else _NONE

    @property
    def lost_packets(self) -> int:
        """See Counts."""
        return self.counts.lost

    @property
    def malformed(self) -> int:
        """See Counts."""
        return self.counts.malformed

    def ticks_of(self, clock: int) -> int | None:
        """Convert a packet's 32-bit time to the pictures' timeline, 90 kHz; None before the first packet."""
        return self._timeline.ticks_of(clock)

    # -- The usual packets

    def _usual(self, view: memoryview, at: int, end: int, mono_ns: int, out: _Items) -> int:
        """Take the usual packets from ``at`` on, as many as come one after the other; return their end."""
        assembly = self._assembly
        flags = FINISHED * self._finished | BY_TIME * self._by_time
        if not assembly.start_codes.searching and assembly.ends_alone:
            flags |= MAY_BEGIN
        if self._middle == _NONE and flags & (FINISHED | MAY_BEGIN) != FINISHED | MAY_BEGIN:
            return at
        rows, at = self._scan(view, at, end, self._stamp, self._expected, self._middle, flags)
        self.counts.work += not rows
        for header, stamp, pieces, packets, ends in rows:
            self._expected = self._expected + packets & NUMBERS - 1
            if header >= 0:
                begun, role = self._slices[header]
                self._timeline.advance(stamp >> 32)
                self._stamp, self._stamp_ns = stamp, mono_ns
                if ends:
                    assembly.whole_view(begun, role, pieces)
                    self._ended(mono_ns, out)
                    continue
                self._middle, self._finished = header ^ FIRST, False
                assembly.begin_view(begun, role)
            assembly.add_views(pieces, packets)
            if ends:
                assembly.end()
                self._ended(mono_ns, out)
        return at

    # -- Packet by packet

    def _cut_short(self, view: memoryview, at: int, after: int, end: int) -> bool:
        """Whether a frame was cut short: bytes follow that may not, or another frame begins within it."""
        if after < end:
            return not may_follow(view, after, end)
        return self._frames.find(view, at + 1, after, self.source)[1]

    def _packet(
        self, view: memoryview, at: int, stop: int, kind: int, sequence: int, stamp: int, mono_ns: int, out: _Items
    ) -> None:
        self.counts.work += 1
        start = at + _PAYLOAD_AT
        if kind & ~_MARKER != self._plain or stop < start:
            start, stop = self._payload_bounds(view, at + HEAD_BYTES, stop)
            if start < 0:
                return
        # RFC 3550, A.1 wants two packets in sequence before a source counts (MIN_SEQUENTIAL): one may be a stray
        # packet.
        if self._stamp != _NONE and (stamp ^ self._stamp) & SOURCE:
            held = Held(bytes(view[at:stop]), start - at, kind, sequence, stamp, self._expected)
            first, self._stray = self._stray, held
            if first is None or not first.followed_by(held):
                self.counts.foreign += first is not None
                return
            self._stray = None
            before = memoryview(first.frame)
            self._take(before, first.start, len(before), first.kind, first.sequence, first.stamp, mono_ns, out)
        self._take(view, start, stop, kind, sequence, stamp, mono_ns, out)

    def _payload_bounds(self, view: memoryview, start: int, stop: int) -> tuple[int, int]:
        """Return start and end of the payload of a packet with an unusual header; (-1, -1): ignore the packet."""
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
        """Take a packet of the present source."""
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
        # RFC 6184, 5.1: the marker ends an access unit. Cameras set it on every NAL unit, or never.
        if kind & _MARKER and not self._by_time:
            if self._assembly.open_at >= 0:  # a marker within a NAL unit is wrong
                self._by_time, self._marks = True, False
                return
            self._ended(mono_ns, out)

    def _ended(self, mono_ns: int, out: _Items) -> None:
        """The marker has ended the access unit."""
        self._marks, self._middle = True, _NONE
        self._finished = self._assembly.sliced or self._assembly.torn
        self._pictures.finish(self._timeline.ticks, mono_ns, out)

    def _pieces_of(self, view: memoryview, start: int, stop: int) -> int:
        """Take the payload. After good packets, one of an unsupported kind counts as damaged, not as a refusal."""
        try:
            return self._payload.take(view, start, stop)
        except StreamError:
            if not self._pictures.started:
                raise
            self.counts.malformed += 1
            return _NONE

    def _in_order(self, sequence: int, stamp: int, *, goes_on: bool) -> bool:
        """Handle a number that is not the next one. False: the packet is a duplicate."""
        if self._expected == _NONE or (stamp ^ self._stamp) & SOURCE:
            return True  # the first packet, or another source, which _new_time() handles
        numbering, torn = self._numbering, self._expected & _TORN
        self._expected &= ~_TORN
        if sequence == self._expected:
            return True
        behind = self._expected - sequence & NUMBERS - 1
        # A late packet has an old timestamp, too; a low number with a new one is a restart.
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
            self._pictures.tear(
                found.packets
            )  # the end of this picture; if the start of the next is missing too, that picture shows it
        else:
            before = self._pictures.hole
            self._pictures.hole = Hole(found.packets + (before.packets if before is not None else 0))
        self._middle = _NONE
        return True

    def _new_time(self, stamp: int, mono_ns: int, out: _Items) -> None:
        timeline = self._timeline
        if self._stamp == _NONE:
            timeline.begin(stamp >> 32)
        elif (stamp ^ self._stamp) & SOURCE:
            # Another source has its own origin of time (RFC 3550, 5.1): continue by the time that elapsed here.
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
        """Handle a packet after the marker: another slice of the same picture proves that the marker is wrong."""
        if stop > start and self._payload.continues(view, start, stop):
            self._by_time, self._marks = True, False
            self._pictures.spoil("the camera marks the end of pictures wrongly", out)
        self._finished = False

    def _give_up(self, out: _Items) -> None:
        self.counts.overlong += 1
        self._middle = _NONE
        self._pictures.spoil("a picture of more than 16 MiB", out)

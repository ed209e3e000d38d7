"""RTP over UDP, without I/O: puts datagrams in order and hands them on as frames of a connection.

As over TCP, what is too much for one turn of the loop (WORK_MAX) waits for the next.
"""

from __future__ import annotations

import struct
from typing import Final

from ingest.rtp.frames import HEAD_BYTES, SLACK
from ingest.rtp.numbers import NUMBERS
from ingest.rtp.reorder import Reorder
from ingest.rtsp.receiver import WORK_MAX
from ingest.rtsp.rtcp import Reception
from ingest.rtsp.streams import Streams

LEAST_BYTES: Final = 12  # a shorter datagram is no RTP packet
_HEAD: Final = struct.Struct(">HHHHII")  # $ and channel, length, flags and type, sequence, time, source
_NONE: Final = -1


class Datagrams:
    """Pass datagrams to ``receive()``, each after the 4 bytes of a frame's head; call ``tick()`` while none arrive."""

    def __init__(self, streams: Streams) -> None:
        self._streams = streams
        self._reorder = Reorder(streams.counts)
        self._source = _NONE
        self._left = b""  # in order, to be read in the next turn
        self.reception = Reception()

    @property
    def behind(self) -> bool:
        """There was more than was to be done in one turn: ``receive()`` again, also without more."""
        return bool(self._left)

    @property
    def holds(self) -> bool:
        """Whether ``tick()`` is to be called soon."""
        return self._reorder.holds

    def receive(self, view: memoryview, end: int, mono_ns: int) -> None:
        """Take whole datagrams of at least LEAST_BYTES in ``view[:end]``; SLACK bytes after them must be readable."""
        reorder, unpack = self._reorder, _HEAD.unpack_from
        if self._left:
            left, self._left = self._left, b""
            self._walk(memoryview(bytearray(left + bytes(SLACK))), 0, len(left), mono_ns)
        at = run = 0
        while at < end:
            _, length, _, number, stamp, source = unpack(view, at)
            after = at + HEAD_BYTES + length
            self._streams.work += 1
            if source == self._source:
                self.reception.came(number)
                if number == reorder.next and not reorder.holds:
                    reorder.next = number + 1 & NUMBERS - 1
                    at = after
                    continue
            self._walk(view, run, at, mono_ns)
            if source == self._source:
                self._walk_all(reorder.push(number, view[at:after].tobytes(), mono_ns), mono_ns)
            else:
                self._other_source(view, at, after, mono_ns)
            at = run = after
        self._walk(view, run, end, mono_ns)
        if end:
            self.reception.timed(stamp, mono_ns, self._streams.clock_rate)
        self.tick(mono_ns)

    def tick(self, mono_ns: int) -> None:
        """Hand on the packets that have waited long enough."""
        if self._reorder.holds:
            self._walk_all(self._reorder.overdue(mono_ns), mono_ns)

    def report(self, view: memoryview, end: int, mono_ns: int) -> None:
        """Take a datagram with RTCP; one of another source is ignored."""
        if end >= LEAST_BYTES and int.from_bytes(view[4:8], "big") == self._source:
            self._streams.report(view, 0, end, mono_ns)

    def answer(self, reporter: int, mono_ns: int) -> bytes:
        """Return the receiver report that is due."""
        return self.reception.report(reporter, self._source, self._streams.heard, mono_ns)

    def _other_source(self, view: memoryview, at: int, after: int, mono_ns: int) -> None:
        """Take the first packet, or one of another source: the track decides whether it is the camera's new one."""
        number, source = _HEAD.unpack_from(view, at)[3::2]
        self._streams.frame(view, at, after, mono_ns)
        track = self._streams.track
        if track is not None and track.source == source:
            self._source = source
            self._reorder.begin(number + 1)
            self.reception = Reception()
            self.reception.came(number)

    def _walk_all(self, packets: list[bytes], mono_ns: int) -> None:
        if packets:
            joined = b"".join(packets)
            self._walk(memoryview(bytearray(joined + bytes(SLACK))), 0, len(joined), mono_ns)

    def _walk(self, view: memoryview, at: int, end: int, mono_ns: int) -> None:
        """Hand on a datagram as a frame, even if ``walk()`` does not take it: datagrams are always whole."""
        streams = self._streams
        while at < end:
            if streams.work > WORK_MAX or self._left:
                self._left += view[at:end].tobytes()
                return
            after = streams.walk(view, at, end, mono_ns, WORK_MAX)
            if after == at:
                after = at + HEAD_BYTES + (view[at + 2] << 8 | view[at + 3])
                streams.frame(view, at, after, mono_ns)
            at = after

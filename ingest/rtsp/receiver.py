"""Bytes of an RTSP connection to messages and frames, and back to them after bytes that are neither.

Cost is bounded: what a camera sends in one piece is worked on for WORK_MAX units of about 2 us, and the rest in the
next turn. Whatever it sends costs linear time.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

from ingest.errors import StreamError
from ingest.rtp.frames import DOLLAR, HEAD_BYTES, may_follow
from ingest.rtsp.signalling.messages import Message, MessageReader
from ingest.rtsp.streams import Streams

WORK_MAX: Final = 4096
STRAY_MAX: Final = 1 << 20
_MESSAGE_WORK: Final = 16
_CANDIDATES_WORK: Final = 128  # of places that look like frames and are none
_BETWEEN: Final = re.compile(rb"[\r\n]+")
_SPACE: Final = (0x0D, 0x0A)
_TAIL_BYTES: Final = 16  # of bytes that are neither, in which a frame or message may have begun
_TORN_BYTES: Final = 16  # of what follows a frame, to see that another begins at its end
_VERSION: Final = 2


class Receiver:
    """``receive()`` what comes.

    kept: received bytes that no whole message or frame could be made of; go before what is received next
    behind: there is more in them than was to be done in one turn
    """

    def __init__(self, streams: Streams, take: Callable[[Message], None]) -> None:
        """``take``: is given each message."""
        self._streams = streams
        self._take = take
        self._reader = MessageReader()
        self._begun = False  # something was understood: it is an RTSP connection
        self._lost = False  # within bytes that are neither
        self._lost_bytes = 0  # since something was understood
        self.kept = b""
        self.behind = False

    def receive(self, view: memoryview, end: int, mono_ns: int) -> None:
        """``view[:end]`` is ``kept`` and what was received since; SLACK bytes behind it must be readable.

        IngestError ends the connection; what was understood before it is good.
        """
        self._streams.work = at = 0
        while at < end and self._streams.work <= WORK_MAX:
            after = self._next(view, at, end, mono_ns)
            if after == at:
                break  # not whole yet
            at = after
        self.behind = at < end and self._streams.work > WORK_MAX
        self.kept = view[at:end].tobytes() if at < end else b""

    def _next(self, view: memoryview, at: int, end: int, mono_ns: int) -> int:
        """Where what begins at ``at`` ends; ``at`` when it is not whole."""
        if self._lost:
            return self._search(view, at, end)
        if view[at] == DOLLAR:
            if end - at > HEAD_BYTES and at + HEAD_BYTES + (view[at + 2] << 8 | view[at + 3]) <= end:
                after = self._streams.walk(view, at, end, mono_ns, WORK_MAX)
                if after != at:
                    self._begun, self._lost_bytes = True, 0
                    return after
            return self._frame(view, at, end, mono_ns)
        if view[at] in _SPACE:
            found = _BETWEEN.match(view, at, end)
            return found.end() if found is not None else at
        return self._message(view, at, end)

    def _message(self, view: memoryview, at: int, end: int) -> int:
        try:
            message, after = self._reader.read(view, at, end)
        except StreamError:
            if not self._begun:
                raise
            return self._lose(view, at, end)
        if message is not None:
            self._begun, self._lost_bytes = True, 0
            self._streams.work += _MESSAGE_WORK
            self._take(message)
        return after

    def _frame(self, view: memoryview, at: int, end: int, mono_ns: int) -> int:
        """One that the video's track does not take: of another channel, not whole, or followed by what may not."""
        if end - at <= HEAD_BYTES:
            return at
        channel, length = view[at + 1], view[at + 2] << 8 | view[at + 3]
        after = at + HEAD_BYTES + length
        versioned = length > 0 and view[at + HEAD_BYTES] >> 6 == _VERSION
        if after > end:
            return at if versioned else self._lose(view, at, end)
        follows = may_follow(view, after, end)
        if after == end or not follows or not versioned:
            begins, found = self._streams.find(view, at + 1, min(end, after + _TORN_BYTES))
            if found and begins < after:
                self._streams.torn(channel)
                self._pass(begins - at)
                return begins
            if not follows and not (versioned and self._streams.expects(channel)):
                return self._lose(view, at, end)
        self._lost_bytes = 0
        self._streams.frame(view, at, after, mono_ns)
        return after

    # -- Bytes that are neither

    def _lose(self, view: memoryview, at: int, end: int) -> int:
        """What begins here is neither a message nor a frame."""
        self._lost = True
        self._pass(1)
        return self._search(view, at + 1, end)

    def _search(self, view: memoryview, at: int, end: int) -> int:
        """Where the next frame or reply begins, or may have begun."""
        begins, found = self._streams.find(view, at, end)
        self._lost = not found
        if not found and begins < end:
            self._streams.work += _CANDIDATES_WORK
        elif not found:
            begins = max(at, end - _TAIL_BYTES)
        self._pass(begins - at)
        return begins

    def _pass(self, count: int) -> None:
        self._streams.counts.stray_bytes += count
        self._lost_bytes += count
        if self._lost_bytes > STRAY_MAX:
            raise StreamError("It sends bytes that are not RTSP.", "Restart it; update its firmware.")

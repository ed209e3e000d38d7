"""Splits the bytes of an RTSP connection into messages and frames, and resynchronizes after other bytes.

The cost is bounded: each turn does at most WORK_MAX units of about 2 us, and the rest waits for the next turn. Any
input costs linear time.
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
_CANDIDATES_WORK: Final = 128  # number of places that look like frames and are not
_BETWEEN: Final = re.compile(rb"[\r\n]+")
_SPACE: Final = (0x0D, 0x0A)
_TAIL_BYTES: Final = 16  # of other bytes, in which a frame or message may have begun
_TORN_BYTES: Final = 16  # after a frame, to see that another one begins there
_VERSION: Final = 2


class Receiver:
    """Pass received bytes to ``receive()``.

    kept: bytes of an incomplete message or frame; the caller puts them before the next bytes
    behind: whether ``kept`` holds work for another turn
    """

    def __init__(self, streams: Streams, take: Callable[[Message], None]) -> None:
        """``take``: called with each message."""
        self._streams = streams
        self._take = take
        self._reader = MessageReader()
        self._begun = False  # whether something was understood, so that this is an RTSP connection
        self._lost = False  # whether the position is within other bytes
        self._lost_bytes = 0  # number of other bytes since something was understood
        self.kept = b""
        self.behind = False

    def receive(self, view: memoryview, end: int, mono_ns: int) -> None:
        """Take ``view[:end]``, which is ``kept`` and the bytes received since; SLACK bytes after it must be readable.

        IngestError ends the connection; earlier results stay valid.
        """
        self._streams.work = at = 0
        while at < end and self._streams.work <= WORK_MAX:
            after = self._next(view, at, end, mono_ns)
            if after == at:
                break  # incomplete
            at = after
        self.behind = at < end and self._streams.work > WORK_MAX
        self.kept = view[at:end].tobytes() if at < end else b""

    def _next(self, view: memoryview, at: int, end: int, mono_ns: int) -> int:
        """Take what begins at ``at`` and return its end; ``at``: it is incomplete."""
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
        """Handle a frame that the video's track did not take: of another channel, incomplete, or badly followed."""
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

    # -- Other bytes

    def _lose(self, view: memoryview, at: int, end: int) -> int:
        """Handle bytes that are neither a message nor a frame."""
        self._lost = True
        self._pass(1)
        return self._search(view, at + 1, end)

    def _search(self, view: memoryview, at: int, end: int) -> int:
        """Return where the next frame or reply begins, or may have begun."""
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

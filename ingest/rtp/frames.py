"""Finds frames in an RTSP connection (RFC 2326, 10.12) among other bytes.

Cameras put bytes between frames, or write half a packet and continue with the next one. A frame is accepted if the
bytes after it may follow a frame. Otherwise it is searched: if another frame begins within it, it was cut short.
"""

from __future__ import annotations

import re
from typing import Final

DOLLAR: Final = 0x24
SLACK: Final = 32  # bytes that a buffer must have beyond its contents
CANDIDATES_MAX: Final = 256
HEAD_BYTES: Final = 4  # $, channel, length in 2 bytes
_LEAST_RTP, _LEAST_RTCP = 12, 8
_MESSAGE_BYTES: Final = 24
_MESSAGE: Final = re.compile(rb"[\r\n]*(?:\$|RTSP/|[A-Z_]{3,20} )|[\r\n]{24}")  # of _MESSAGE_BYTES
_PART: Final = re.compile(rb"[\r\n]*(?:[A-Z_]{0,20}|RTSP/?)")
_NEXT_MESSAGE: Final = rb"RTSP/1\.[01] \d\d\d[ \r\n]"


def may_follow(view: memoryview, at: int, end: int) -> bool:
    """Whether the bytes from ``at`` on may follow a frame: none yet, another frame, a message, an end of line."""
    if at >= end or view[at] == DOLLAR:
        return True
    head = view[at : min(end, at + _MESSAGE_BYTES)].tobytes()
    return _MESSAGE.match(head) is not None or (at + len(head) == end and _PART.fullmatch(head) is not None)


class Frames:
    """Finds real frames. Call ``expect()`` for each channel that is set up."""

    def __init__(self) -> None:
        self._channels: list[bytes] = []
        self._first = -1  # an expected channel, with the next one: for the source of ``find()``
        self._search = re.compile(_NEXT_MESSAGE)

    def expect(self, channel: int, payload_type: int) -> None:
        """Expect RTP of this type on this channel, RTCP on the next (RFC 3550, 5.1 and 6.1: types from 200 on)."""
        self._first = channel if self._first < 0 else self._first
        rtp = re.escape(bytes((channel,))) + rb"..[\x80-\xbf][%s%s]" % tuple(
            re.escape(bytes((marker | payload_type,))) for marker in (0, 0x80)
        )
        rtcp = re.escape(bytes((channel + 1 & 0xFF,))) + rb"..[\x80-\xbf][\xc8-\xcf]"
        self._channels += [rtp, rtcp]
        self._search = re.compile(rb"\$(?:%s)|%s" % (b"|".join(self._channels), _NEXT_MESSAGE), re.DOTALL)

    def find(self, view: memoryview, at: int, end: int, source: int) -> tuple[int, bool]:
        """Where the next frame or reply begins at ``at`` or behind it; or up to where none does.

        source: of which packets have come (RFC 3550, 5.1, SSRC): one from there is a frame whatever comes behind it
        Cost: linear, and at most CANDIDATES_MAX places are looked at.
        """
        for number, found in enumerate(self._search.finditer(view, at, end)):
            place = found.start()
            if view[place] != DOLLAR or self._plausible(view, place, end, source):
                return place, True
            if number >= CANDIDATES_MAX:
                return place + 1, False
        return end, False

    def _plausible(self, view: memoryview, at: int, end: int, source: int) -> bool:
        length = view[at + 2] << 8 | view[at + 3]
        rtcp = 0xC8 <= view[at + 5] <= 0xCF
        if length < (_LEAST_RTCP if rtcp else _LEAST_RTP):
            return False
        source_at, after = at + HEAD_BYTES + (4 if rtcp else 8), at + HEAD_BYTES + length
        if source >= 0 and source_at + 4 <= end and view[at + 1] - self._first in (0, 1):
            # Chance writes heads into pictures, but not their source: most of those would reach beyond the end.
            named = int.from_bytes(view[source_at : source_at + 4], "big")
            return named == source or (after < end and may_follow(view, after, end))
        return after >= end or may_follow(view, after, end)

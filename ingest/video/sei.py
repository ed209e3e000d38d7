"""Supplemental enhancement information (ITU-T H.264, 7.3.2.3 and annex D; H.265 alike): sizes, recovery points."""

from __future__ import annotations

import re
from typing import Final

from ingest.errors import StreamError
from ingest.video.bits import Bits, unescaped

_MESSAGES_MAX: Final = 1024
_TYPE_BYTES_MAX: Final = 16
_TRAILING_BITS: Final = 0x80  # rbsp_trailing_bits() of a whole byte
_RECOVERY_POINT: Final = 6  # payloadType, in both standards
_LOOKED_AT: Final = 512  # bytes of a SEI NAL unit that are searched for a recovery point
_END: Final = re.compile(rb"\x00*(?:\Z|\x00\x00\x01)")
_NONE: Final = (-1, -1, -1)


def end_of_unit(data: bytes, at: int, header_bytes: int) -> int:
    """Return the end of the SEI NAL unit at ``data[at:]`` by the sizes of its messages; -1: they do not fit.

    They fit if the last message is followed by the trailing bits, or nothing, and then by a start code or the end. The
    sizes are used unescaped: a camera that inserts emulation prevention bytes has no start code in the data anyway.
    """
    place = at + header_bytes
    for _ in range(_MESSAGES_MAX):
        if place >= len(data):
            return len(data) if place == len(data) else -1
        if data[place] == _TRAILING_BITS and _END.match(data, place + 1):
            return place + 1
        _, _, place = _message(data, place)
        if place < 0:
            return -1
    return -1


def recovery_frames(codec: str, nal: bytes) -> int | None:
    """Return the pictures until all is right if decoding begins here (recovery_frame_cnt); None without the message.

    H.265 counts in picture order (recovery_poc_cnt), which may be negative: used as a number of pictures, at least 0.
    """
    data = unescaped(nal[1 if codec == "h264" else 2 :][:_LOOKED_AT])
    place = 0
    for _ in range(_MESSAGES_MAX):
        if place + 2 > len(data) or data[place] == _TRAILING_BITS:
            return None
        kind, begin, place = _message(data, place)
        if place < 0:
            return None
        if kind == _RECOVERY_POINT:
            bits = Bits(data[begin:place])
            try:
                return bits.ue() if codec == "h264" else max(0, bits.se())
            except StreamError:
                return None
    return None


def _message(data: bytes, place: int) -> tuple[int, int, int]:
    """Return payloadType, start and end of the payload; all -1: it does not fit. 255 continues a number (7.3.2.3.1)."""
    kind, limit = 0, place + _TYPE_BYTES_MAX
    while place < len(data) and data[place] == 0xFF:
        kind, place = kind + 255, place + 1
        if place > limit:
            return _NONE
    size, at = 0, place + 1
    while at < len(data) and data[at] == 0xFF:
        size, at = size + 255, at + 1
        if at + size > len(data):
            return _NONE
    if at >= len(data) or at + 1 + size + data[at] > len(data):
        return _NONE
    begin = at + 1
    return kind + data[place], begin, begin + size + data[at]

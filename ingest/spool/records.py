"""Records in an append-only file, each with its length and checksum: a torn tail shows. Pure.

length u32 | crc32 u32 of the payload | payload
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator

_HEAD = struct.Struct(">II")
RECORD_MAX = 1 << 16


def packed(payload: bytes) -> bytes:
    """Return the payload as a record, ready to be appended."""
    return _HEAD.pack(len(payload), zlib.crc32(payload)) + payload


def unpacked(data: bytes) -> Iterator[tuple[bytes, int]]:
    """Yield each payload and the offset after it, up to the first that is torn or damaged."""
    at = 0
    while at + _HEAD.size <= len(data):
        length, checksum = _HEAD.unpack_from(data, at)
        payload = data[at + _HEAD.size : at + _HEAD.size + length]
        if length == 0 or length > RECORD_MAX or len(payload) < length or zlib.crc32(payload) != checksum:
            return
        at += _HEAD.size + length
        yield payload, at


def whole_records(data: bytes) -> tuple[list[bytes], int]:
    """Return all payloads up to the first that is torn or damaged, and the offset after them."""
    found = list(unpacked(data))
    return [payload for payload, _ in found], found[-1][1] if found else 0

"""A segment's fragment index from its own boxes, when the catalogue has none (after a rebuild from the bucket)."""

from __future__ import annotations

import struct

from domain.footage import FragmentIndex, Segment
from storage.mp4 import Mp4Error, find
from storage.sealed import SegmentReader

_HEAD = struct.Struct(">I4s")
_SYNC_MASK = 0x00010000  # sample_is_non_sync_sample
_TICKS_PER_MS = 90


async def index_by_reading(reader: SegmentReader, segment: Segment) -> FragmentIndex:
    """Reads the head of every box; RefusedError, Mp4Error, and what the store raises."""
    start_ms: list[int] = []
    offset: list[int] = []
    size: list[int] = []
    key: list[bool] = []
    at = segment.init_size
    while at + 8 <= reader.plain_len:
        length, kind = _HEAD.unpack(await reader.read(at, at + 8))
        if length < 8:
            raise Mp4Error("A box does not fit.")
        if kind == b"moof":
            moof = bytes(await reader.read(at, at + length))
            start_ms.append(_decode_time(moof) // _TICKS_PER_MS)
            key.append(_starts_with_key(moof))
            offset.append(at)
            size.append(length)
        elif kind == b"mdat" and offset and offset[-1] + size[-1] == at:
            size[-1] += length
        at += length
    return FragmentIndex(start_ms=tuple(start_ms), offset=tuple(offset), size=tuple(size), key=tuple(key))


def _decode_time(moof: bytes) -> int:
    tfdt = find(moof, b"moof", b"traf", b"tfdt")
    return int(struct.unpack_from(">Q", moof, tfdt.body + 4)[0])


def _starts_with_key(moof: bytes) -> bool:
    """Our truns carry duration, size, flags and composition offset for every sample."""
    trun = find(moof, b"moof", b"traf", b"trun")
    (flags,) = struct.unpack_from(">I", moof, trun.body + 8 + 4 + 8)
    return not flags & _SYNC_MASK

"""A segment's fragment index from its own boxes, when the catalogue has none (after an old rebuild from the bucket)."""

from __future__ import annotations

import struct

from domain.footage import FragmentIndex, Segment
from storage.mp4 import Moof, Mp4Error, parse_moof
from storage.sealed import SegmentReader
from storage.sealed.format import STATE_RECOVERED

_HEAD = struct.Struct(">I4s")
_TICKS_PER_MS = 90
_MOOF_MAX_BYTES = 1 << 20


async def index_by_reading(reader: SegmentReader, segment: Segment) -> FragmentIndex:
    """Reads the head of every box and every moof, no pictures. RefusedError, Mp4Error, and what the store raises.

    A recovered segment may end in the middle of a box: a fragment that is cut off does not count.
    """
    torn = (await reader.trailer()).state == STATE_RECOVERED
    found: list[tuple[int, int, Moof]] = []
    moof: Moof | None = None
    moof_at = 0
    at = segment.init_size
    while at + _HEAD.size <= reader.plain_len:
        length, kind = _HEAD.unpack(await reader.read(at, at + _HEAD.size))
        if length < _HEAD.size or (kind == b"moof" and length > _MOOF_MAX_BYTES):
            raise Mp4Error("A box does not fit.")
        if at + length > reader.plain_len:
            break
        if kind == b"moof" and moof is None:
            moof_at, moof = at, parse_moof(await reader.read(at, at + length))
        elif kind == b"mdat" and moof is not None:
            found.append((moof_at, at + length - moof_at, moof))
            moof = None
        elif kind != b"free":
            raise Mp4Error(f"Box {kind!r} has no place there.")
        at += length
    if not torn and (at != reader.plain_len or moof is not None):
        raise Mp4Error("The last box is cut off.")
    return FragmentIndex(
        start_ms=tuple(moof.decode_ticks // _TICKS_PER_MS for _, _, moof in found),
        offset=tuple(offset for offset, _, _ in found),
        size=tuple(size for _, size, _ in found),
        key=tuple(moof.key for _, _, moof in found),
    )

"""The segment index box: where each fragment of a clip lies, so that a player can seek by byte range."""

from __future__ import annotations

import struct
from collections.abc import Sequence

from storage.mp4.boxes import full_box

ENTRIES_MAX = 65_535
_FIXED = struct.Struct(">IIQQHH")
_ENTRY = struct.Struct(">III")
_STARTS_WITH_SAP = 1 << 31
_SAP_TYPE_1 = 1 << 28


def sidx_size(entries: int) -> int:
    """Bytes of an index with so many entries."""
    return 12 + _FIXED.size + entries * _ENTRY.size


def sidx(timescale: int, sizes: Sequence[int], durations: Sequence[int], keys: Sequence[bool]) -> bytes:
    """ISO/IEC 14496-12, 8.16.3. Per fragment: its bytes, its duration in ticks, whether a key frame starts it."""
    entries = b"".join(
        _ENTRY.pack(size, duration, _STARTS_WITH_SAP | _SAP_TYPE_1 if key else 0)
        for size, duration, key in zip(sizes, durations, keys, strict=True)
    )
    return full_box(b"sidx", 1, 0, _FIXED.pack(1, timescale, 0, 0, 0, len(sizes)), entries)

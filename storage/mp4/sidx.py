"""The segment index box: where each place to seek to lies in a clip, so that a player finds it by byte range."""

from __future__ import annotations

import struct
from collections.abc import Sequence

from storage.mp4.boxes import box, full_box

ENTRIES_MAX = 65_534  # and the end mark
END_MARK_SIZE = 24
_FIXED = struct.Struct(">IIQQHH")
_ENTRY = struct.Struct(">III")
_STARTS_WITH_SAP = 1 << 31
_SAP_TYPE_1 = 1 << 28


def sidx_size(entries: int) -> int:
    """Bytes of an index with so many entries beside the end mark's."""
    return 12 + _FIXED.size + (entries + 1) * _ENTRY.size


def sidx(timescale: int, sizes: Sequence[int], durations: Sequence[int]) -> bytes:
    """ISO/IEC 14496-12, 8.16.3. Per entry: its bytes and its duration in ticks. A key frame begins each of them.

    Players take every entry for a place to seek to, whatever its SAP flags say: one without a key frame makes them
    show another picture than the one of the time that was asked for. The last entry is for ``end_mark()``, which must
    follow the last of the others.
    """
    entries = b"".join(
        _ENTRY.pack(size, duration, _STARTS_WITH_SAP | _SAP_TYPE_1)
        for size, duration in zip(sizes, durations, strict=True)
    )
    fixed = _FIXED.pack(1, timescale, 0, 0, 0, len(sizes) + 1)
    return full_box(b"sidx", 1, 0, fixed, entries, _ENTRY.pack(END_MARK_SIZE, 0, 0))


def end_mark(sequence: int) -> bytes:
    """A fragment without samples behind the last one, of END_MARK_SIZE bytes.

    libav (7.1) remembers where the fragment after the current one begins, but not when it seeks into the last one for a
    second time: it then goes on elsewhere. With a mark behind it, no fragment that has pictures is the last one.
    """
    return box(b"moof", full_box(b"mfhd", 0, 0, sequence.to_bytes(4, "big")))

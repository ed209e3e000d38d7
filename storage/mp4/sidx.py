"""Writes the segment index box: position and duration of each group in a clip, so that a player seeks by byte range."""

from __future__ import annotations

import struct
from collections.abc import Sequence

from storage.mp4.boxes import box, full_box

ENTRIES_MAX = 65_534  # reference_count has 16 bits, and the end mark takes an entry
END_MARK_SIZE = 24
_FIXED = struct.Struct(">IIQQHH")
_ENTRY = struct.Struct(">III")
_STARTS_WITH_SAP = 1 << 31  # a stream access point: decoding can begin here
_SAP_TYPE_1 = 1 << 28  # and presents every picture from there on (Annex I.2)


def sidx_size(entries: int) -> int:
    """Return the size of an index with ``entries`` entries and that of the end mark."""
    return 12 + _FIXED.size + (entries + 1) * _ENTRY.size


def sidx(timescale: int, sizes: Sequence[int], durations: Sequence[int]) -> bytes:
    """Return the index (ISO/IEC 14496-12, 8.16.3). Each entry begins with a key frame; durations are in ticks.

    Players seek to every entry, whatever its SAP flags say: at one without a key frame they would show another picture
    than that of the requested time. The last entry stands for ``end_mark()``, which must follow the others.
    """
    entries = b"".join(
        _ENTRY.pack(size, duration, _STARTS_WITH_SAP | _SAP_TYPE_1)
        for size, duration in zip(sizes, durations, strict=True)
    )
    # Version 1: 64-bit times. reference_ID 1, the pictures' track; earliest time and first offset 0: the first group
    # follows the index directly.
    fixed = _FIXED.pack(1, timescale, 0, 0, 0, len(sizes) + 1)
    return full_box(b"sidx", 1, 0, fixed, entries, _ENTRY.pack(END_MARK_SIZE, 0, 0))


def end_mark(sequence: int) -> bytes:
    """Return a fragment without samples, END_MARK_SIZE bytes, to be put behind the last group.

    libav (7.1) reads on from the remembered start of the next fragment, and remembers a wrong one when it seeks into
    the last fragment for the second time. With this mark, the last fragment never has pictures.
    """
    return box(b"moof", full_box(b"mfhd", 0, 0, sequence.to_bytes(4, "big")))

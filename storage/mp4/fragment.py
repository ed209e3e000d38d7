"""A fragment's place in a clip: its sequence number, its decode time, which init it needs."""

from __future__ import annotations

import struct

from storage.mp4.boxes import Box, boxes, find
from storage.mp4.errors import Mp4Error

_HAS_DESCRIPTION_INDEX = 0x000002  # tfhd flag sample-description-index-present
_ROUNDING_TICKS = 90  # the catalogue knows a fragment's start to the millisecond
_SOUND_TICKS = 90_000  # at most a second
_TICKS_MAX = (1 << 63) - 1
_TFDT_V1 = struct.Struct(">IQ")


def patch_fragment(data: bytearray | memoryview, *, sequence: int, description_index: int, shift_ticks: int) -> None:
    """Change one fragment (moof and mdat) in place; its size stays. Mp4Error when it is not one of ours.

    shift_ticks: added to the fragment's baseMediaDecodeTime.
    """
    moof = find(data, b"moof")
    head = memoryview(data)[: moof.end]
    mfhd = find(head, b"moof", b"mfhd")
    if mfhd.end - mfhd.body < 8:
        raise Mp4Error("Box b'mfhd' is too short.")
    struct.pack_into(">I", head, mfhd.body + 4, sequence)
    trafs = [item for item in boxes(head, moof.body, moof.end) if item.kind == b"traf"]
    if not 1 <= len(trafs) <= 2:
        raise Mp4Error("A fragment has no tracks of ours.")
    for number, traf in enumerate(trafs):
        # Sound may begin up to a frame before the pictures that it goes with.
        _patch_track(head, traf, description_index, shift_ticks, _SOUND_TICKS if number else _ROUNDING_TICKS)


def _patch_track(head: memoryview, traf: Box, description_index: int, shift_ticks: int, early_ticks: int) -> None:
    found = {item.kind: item for item in boxes(head, traf.body, traf.end)}
    for kind, least in ((b"tfhd", 12), (b"tfdt", _TFDT_V1.size)):
        if kind not in found:
            raise Mp4Error(f"There is no box {kind!r}.")
        if found[kind].end - found[kind].body < least:
            raise Mp4Error(f"Box {kind!r} is too short.")
    tfhd, tfdt = found[b"tfhd"], found[b"tfdt"]
    if not int.from_bytes(head[tfhd.body + 1 : tfhd.body + 4], "big") & _HAS_DESCRIPTION_INDEX:
        raise Mp4Error("A fragment does not say which description it needs.")
    version_flags, decode_time = _TFDT_V1.unpack_from(head, tfdt.body)
    moved = decode_time + shift_ticks
    if version_flags >> 24 != 1 or moved < -early_ticks:
        raise Mp4Error("A fragment's decode time cannot be moved.")
    if moved > _TICKS_MAX:
        raise Mp4Error("A fragment's decode time makes no sense.")
    struct.pack_into(">I", head, tfhd.body + 8, description_index)
    _TFDT_V1.pack_into(head, tfdt.body, version_flags, max(0, moved))

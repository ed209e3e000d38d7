"""Several segments' inits as one: all their sample descriptions, one duration."""

from __future__ import annotations

import struct
from collections.abc import Sequence

from storage.mp4.boxes import Box, box, boxes, find, full_box
from storage.mp4.errors import Mp4Error

_STSD = (b"moov", b"trak", b"mdia", b"minf", b"stbl", b"stsd")


def sample_entries(init: bytes) -> bytes:
    """The entries of an init's only stsd."""
    found = find(init, *_STSD)
    if found.end - found.body < 8:
        raise Mp4Error("An init's stsd is too short.")
    return init[found.body + 8 : found.end]


def merge_inits(inits: Sequence[bytes], duration_s: float) -> bytes:
    """The first init with the sample descriptions of all (numbered from 1 in this order) and a duration. Mp4Error."""
    entries = [sample_entries(init) for init in inits]
    stsd = full_box(b"stsd", 0, 0, len(entries).to_bytes(4, "big"), *entries)
    first = inits[0]
    mvhd = find(first, b"moov", b"mvhd")
    if mvhd.end - mvhd.body < 20 or first[mvhd.body] != 0:
        raise Mp4Error("An init has an mvhd of another version.")
    (timescale,) = struct.unpack_from(">I", first, mvhd.body + 12)
    mehd = full_box(b"mehd", 1, 0, round(duration_s * timescale).to_bytes(8, "big"))
    return b"".join(
        _rebuilt(first, item, _STSD, stsd, mehd) if item.kind == b"moov" else first[item.start : item.end]
        for item in boxes(first)
    )


def _rebuilt(data: bytes, item: Box, path: tuple[bytes, ...], stsd: bytes, mehd: bytes) -> bytes:
    """``item`` with the stsd at ``path`` (which begins with its own kind) replaced, and mehd put into mvex."""
    if item.kind == b"mvex":
        inner = b"".join(data[sub.start : sub.end] for sub in boxes(data, item.body, item.end) if sub.kind != b"mehd")
        return box(b"mvex", mehd, inner)
    if item.kind != path[0]:
        return data[item.start : item.end]
    if len(path) == 1:
        return stsd
    parts = []
    for sub in boxes(data, item.body, item.end):
        onward = path[1:] if sub.kind == path[1] else (sub.kind, b"")
        wanted = sub.kind in (path[1], b"mvex")
        parts.append(_rebuilt(data, sub, onward, stsd, mehd) if wanted else data[sub.start : sub.end])
    return box(item.kind, *parts)

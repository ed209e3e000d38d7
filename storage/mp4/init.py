"""Merges the inits of several segments into the init of a clip: all their sample descriptions, one duration."""

from __future__ import annotations

import struct
from collections.abc import Sequence

from storage.mp4.boxes import Box, box, boxes, find, full_box
from storage.mp4.errors import Mp4Error

_STSD = (b"trak", b"mdia", b"minf", b"stbl", b"stsd")


def picture_entries(init: bytes) -> bytes:
    """Return the sample entries (stsd, ISO/IEC 14496-12, 8.5.2) of the first track, the pictures. Mp4Error."""
    return _entries(init, _traks(init)[0])


def sound_entries(init: bytes) -> bytes:
    """Return the sample entries of the second track, the sound; empty without sound. Mp4Error."""
    traks = _traks(init)
    return _entries(init, traks[1]) if len(traks) > 1 else b""


def merge_inits(inits: Sequence[bytes], duration_s: float, delay_ticks: int = 0) -> bytes:
    """Return an init with all sample descriptions, numbered from 1 in the order of ``inits``, and a duration. Mp4Error.

    The tracks are those of the first init with sound, if there is one. Pictures and sound share one numbering of
    descriptions; an init without sound gets a placeholder among the sound descriptions, which no fragment uses.

    delay_ticks: added to the pictures' composition offsets; an edit list subtracts it again.
    """
    # A moof has one description index for both tracks here, so both stsds need the same number of entries.
    sounds = [sound_entries(init) for init in inits]
    heard = next((sound for sound in sounds if sound), b"")
    first = inits[sounds.index(heard)] if heard else inits[0]
    entries = [[picture_entries(init) for init in inits]]
    if heard:
        entries.append([sound or heard for sound in sounds])
    stsds = [full_box(b"stsd", 0, 0, len(found).to_bytes(4, "big"), *found) for found in entries]
    mvhd = find(first, b"moov", b"mvhd")
    # Version 0 has 32-bit times: timescale stands 12 bytes into the body (ISO/IEC 14496-12, 8.2.2.2).
    if mvhd.end - mvhd.body < 20 or first[mvhd.body] != 0:
        raise Mp4Error("The init's mvhd is not of version 0.")
    (timescale,) = struct.unpack_from(">I", first, mvhd.body + 12)
    # mehd gives a fragmented movie its duration, so that players show a length before they have read all fragments
    # (8.8.2). Version 1 has 64 bits.
    mehd = full_box(b"mehd", 1, 0, round(duration_s * timescale).to_bytes(8, "big"))
    return b"".join(
        _moov(first, item, stsds, mehd, edit_list(delay_ticks))
        if item.kind == b"moov"
        else first[item.start : item.end]
        for item in boxes(first)
    )


def edit_list(delay_ticks: int) -> bytes:
    """Return the edts box that starts a track's presentation ``delay_ticks`` into its media; empty for no delay."""
    if not delay_ticks:
        return b""
    # One entry: segment_duration 0 (to the end, allowed for fragmented movies), media_time, rate 1.0 as 16.16 (8.6.6).
    return box(b"edts", full_box(b"elst", 0, 0, struct.pack(">IIiI", 1, 0, delay_ticks, 0x00010000)))


def _traks(init: bytes) -> list[Box]:
    moov = find(init, b"moov")
    found = [item for item in boxes(init, moov.body, moov.end) if item.kind == b"trak"]
    if not 1 <= len(found) <= 2:
        raise Mp4Error("The init has neither one track nor two.")
    return found


def _entries(init: bytes, trak: Box) -> bytes:
    found = trak
    for kind in _STSD[1:]:
        inner = next((item for item in boxes(init, found.body, found.end) if item.kind == kind), None)
        if inner is None:
            raise Mp4Error(f"There is no box {kind!r}.")
        found = inner
    if found.end - found.body < 8:
        raise Mp4Error("The init's stsd is too short.")
    # Behind version, flags and entry_count (8.5.2).
    return init[found.body + 8 : found.end]


def _moov(data: bytes, moov: Box, stsds: Sequence[bytes], mehd: bytes, edits: bytes) -> bytes:
    """Return the moov with other stsds, another edit list for the pictures, and ``mehd`` first in mvex (8.8.1)."""
    parts = []
    remaining = list(stsds)
    for item in boxes(data, moov.body, moov.end):
        if item.kind == b"mvex":
            inner = (data[sub.start : sub.end] for sub in boxes(data, item.body, item.end) if sub.kind != b"mehd")
            # A mehd of an earlier merge would contradict the new one.
            parts.append(box(b"mvex", mehd, *inner))
        elif item.kind == b"trak":
            # Only the first track, the pictures, has raised composition offsets.
            trak_edits = edits if len(remaining) == len(stsds) else b""
            parts.append(_trak(data, item, remaining.pop(0), trak_edits))
        else:
            parts.append(data[item.start : item.end])
    return box(b"moov", *parts)


def _trak(data: bytes, trak: Box, stsd: bytes, edits: bytes) -> bytes:
    """Return the trak with another stsd and edit list. edts precedes mdia, as writers put it (6.2.3)."""
    parts = []
    for item in boxes(data, trak.body, trak.end):
        if item.kind == b"mdia":
            parts += [edits, _rebuilt(data, item, _STSD[1:], stsd)]
        elif item.kind != b"edts":
            parts.append(data[item.start : item.end])
    return box(b"trak", *parts)


def _rebuilt(data: bytes, item: Box, path: tuple[bytes, ...], stsd: bytes) -> bytes:
    """Return the box ``item`` with the stsd at ``path`` replaced; ``path`` begins with the kind of ``item``."""
    if len(path) == 1:
        return stsd
    parts = [
        _rebuilt(data, sub, path[1:], stsd) if sub.kind == path[1] else data[sub.start : sub.end]
        for sub in boxes(data, item.body, item.end)
    ]
    # Every enclosing box is built anew: the stsd's new length changes the size of each of them.
    return box(item.kind, *parts)

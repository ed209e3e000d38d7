"""Reads and writes ISO base media boxes (ISO/IEC 14496-12, 4.2). Offsets are relative to the buffer passed in."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass

from storage.mp4.errors import Mp4Error

_HEAD = struct.Struct(">I4s")


@dataclass(frozen=True, slots=True)
class Box:
    """Where an MP4 box lies in its buffer (ISO/IEC 14496-12, 4.2). Offsets in bytes."""

    kind: bytes
    start: int
    body: int  # where its contents begin
    end: int


def box(kind: bytes, *parts: bytes) -> bytes:
    """Return a box with ``parts`` as its contents."""
    body = b"".join(parts)
    return _HEAD.pack(8 + len(body), kind) + body


def full_box(kind: bytes, version: int, flags: int, *parts: bytes) -> bytes:
    """Return a full box: a box whose contents begin with version and flags (4.2)."""
    return box(kind, (version << 24 | flags).to_bytes(4, "big"), *parts)


def boxes(data: bytes | bytearray | memoryview, start: int = 0, end: int | None = None) -> Iterator[Box]:
    """Yield the boxes in [start, end) without descending into them. Mp4Error: a box exceeds the range."""
    stop = len(data) if end is None else end
    at = start
    while at < stop:
        if at + 8 > stop:
            raise Mp4Error("A box is cut off.")
        size, kind = _HEAD.unpack_from(data, at)
        body = at + 8
        # Size 1 announces a 64-bit size behind the kind (4.2). Size 0, "to the end of the file", is refused below: our
        # recorder never writes it, and it would hide a truncation.
        if size == 1:
            if body + 8 > stop:
                raise Mp4Error("A box is cut off.")
            size = int.from_bytes(data[body : body + 8], "big")
            body += 8
        # A size below that of its own head would not advance: the loop would never end.
        if size < body - at or at + size > stop:
            raise Mp4Error(f"Box {kind!r} does not fit.")
        yield Box(kind, at, body, at + size)
        at += size


def find(data: bytes | bytearray | memoryview, *path: bytes) -> Box:
    """Return the first box at ``path``, e.g. ``find(moof, b"moof", b"traf", b"tfdt")``. Mp4Error: there is none."""
    start, end = 0, len(data)
    found: Box | None = None
    for kind in path:
        # Siblings of the same kind: the first one counts, which for tracks is that of the pictures.
        found = next((item for item in boxes(data, start, end) if item.kind == kind), None)
        if found is None:
            raise Mp4Error(f"There is no box {kind!r}.")
        start, end = found.body, found.end
    if found is None:
        raise Mp4Error("The path names no box.")
    return found

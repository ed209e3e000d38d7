"""Checks a segment's plaintext as it streams past: init, then fragments, with `free` boxes between them. No I/O.

Only tables are kept in memory; footage is counted and skipped.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

from domain.footage import FragmentIndex
from storage.mp4.errors import Mp4Error
from storage.mp4.moof import Moof, parse_moof

TICKS_PER_MS = 90
_HEAD = struct.Struct(">I4s")
_TABLE_MAX_BYTES = 1 << 20  # ftyp, moov, moof: kept whole while they are read


@dataclass(frozen=True, slots=True, kw_only=True)
class Walked:
    """Init and index of a segment that was read to its end."""

    init: bytes
    index: FragmentIndex
    frames: int
    end_ms: int  # end of the last picture, since the segment's start; 0 without fragments


class Walker:
    """Takes the plaintext in order by ``push()``, then ``finish()``. Mp4Error: our recorder does not write this."""

    def __init__(self) -> None:
        self._at = 0  # offset of the box that is being read
        self._buffer = bytearray()  # of a box head or a table that is not complete yet
        self._want = _HEAD.size
        self._skip = 0
        self._kind = b""
        self._init = bytearray()
        self._moov = False
        self._moof: tuple[int, int, Moof] | None = None  # offset, size and tables of the moof whose mdat has not ended
        self._found: list[tuple[int, int, Moof]] = []

    def push(self, data: bytes | memoryview) -> None:
        """Take the next bytes of the file. Mp4Error: they are not a fragmented MP4 of this project."""
        view = memoryview(data)
        while view:
            if self._skip:
                taken = min(self._skip, len(view))
                self._skip -= taken
                if not self._skip:
                    self._skipped()
            else:
                taken = min(self._want - len(self._buffer), len(view))
                self._buffer += view[:taken]
                if len(self._buffer) == self._want:
                    self._whole()
            view = view[taken:]

    def finish(self, *, torn: bool) -> Walked:
        """Return what was found. ``torn``: a recovered segment, whose last box may be cut off and does not count."""
        if not torn and (self._skip or self._buffer or self._moof):
            raise Mp4Error("The last box is cut off.")
        if not self._moov:
            raise Mp4Error("There is no init.")
        found = self._found
        index = FragmentIndex(
            start_ms=tuple(moof.decode_ticks // TICKS_PER_MS for _, _, moof in found),
            offset=tuple(offset for offset, _, _ in found),
            size=tuple(size for _, size, _ in found),
            key=tuple(moof.key for _, _, moof in found),
        )
        last = found[-1][2] if found else None
        return Walked(
            init=bytes(self._init),
            index=index,
            frames=sum(moof.frames for _, _, moof in found),
            end_ms=0 if last is None else (last.decode_ticks + last.duration_ticks) // TICKS_PER_MS,
        )

    def _whole(self) -> None:
        """Handle the complete box head or table in the buffer."""
        size, kind = _HEAD.unpack_from(self._buffer)
        # A head alone says how much to read on. A box of exactly 8 bytes, an empty `free`, is complete with its head.
        if len(self._buffer) == _HEAD.size and size != _HEAD.size:
            self._begun(size, kind)
        else:
            table = bytes(self._buffer)
            self._buffer.clear()
            self._want = _HEAD.size
            self._table(kind, table)
            self._at += len(table)

    def _begun(self, size: int, kind: bytes) -> None:
        if size < _HEAD.size:
            raise Mp4Error(f"Box {kind!r} does not fit.")
        if kind in (b"ftyp", b"moov", b"moof"):
            # Before anything is buffered: a forged size must not reserve memory.
            if size > _TABLE_MAX_BYTES:
                raise Mp4Error(f"Box {kind!r} is too long.")
            self._want = size
            return
        if kind not in (b"mdat", b"free") or (kind == b"mdat" and self._moof is None):
            raise Mp4Error(f"Box {kind!r} is not allowed at this place.")
        self._buffer.clear()
        self._kind, self._skip = kind, size - _HEAD.size
        self._at += size
        if not self._skip:
            self._skipped()

    def _table(self, kind: bytes, table: bytes) -> None:
        if kind == b"moof":
            if not self._moov or self._moof is not None:
                raise Mp4Error("A moof is not allowed at this place.")
            self._moof = (self._at, len(table), parse_moof(table))
        # ftyp, then moov, and only before the first fragment: later ones would change what the samples mean.
        elif kind in (b"ftyp", b"moov") and not self._found and not self._moov:
            self._init += table
            self._moov = kind == b"moov"
        elif kind != b"free":
            raise Mp4Error(f"Box {kind!r} is not allowed at this place.")

    def _skipped(self) -> None:
        if self._kind != b"mdat":
            return
        assert self._moof is not None
        offset, size, moof = self._moof
        if self._at - offset - size != _HEAD.size + moof.data_bytes:
            raise Mp4Error("A fragment's data does not fit its samples.")
        if self._found and moof.decode_ticks < self._found[-1][2].decode_ticks:
            raise Mp4Error("A fragment's decode time lies before that of the fragment before it.")
        self._found.append((offset, self._at - offset, moof))
        self._moof = None

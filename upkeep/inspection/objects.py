"""Reads one object from end to end: header, trailer, signature, hash, every chunk, every box. In little memory."""

from __future__ import annotations

import hashlib
from contextlib import aclosing
from dataclasses import dataclass

from storage.catalogue.recorders import Recorders
from storage.claims import signer_flaw, trailer_fits
from storage.mp4 import Mp4Error, Walked, Walker
from storage.sealed import HEADER_SIZE, OVERHEAD, TRAILER_SIZE, PayloadKey, RangeOpener, RefusedError
from storage.sealed.format import (
    STATE_RECOVERED,
    TAG_SIZE,
    ChunkLayout,
    Header,
    Trailer,
    layout_of,
    parse_header,
    parse_trailer,
)
from storage.store import ObjectInfo, ObjectStore
from storage.store.errors import ObjectMissingError, StoreProtocolError
from upkeep.inspection.errors import BadObjectError, Flaw


@dataclass(frozen=True, slots=True, kw_only=True)
class Inspected:
    """An object whose signature, hash and, given a key, whole contents were found right."""

    size_bytes: int
    sha256: bytes  # of the whole object
    header_bytes: bytes
    header: Header
    trailer: Trailer
    trailer_bytes: bytes
    trailer_sha256: bytes
    walked: Walked | None  # None: no key was given


async def inspect_object(
    store: ObjectStore, name: str, size_bytes: int, recorders: Recorders, key: PayloadKey | None
) -> Inspected:
    """BadObjectError with the first flaw found; the store's errors when it does not answer.

    Without a key: that the object is whole and signed, not that it opens.
    """
    if size_bytes < OVERHEAD:
        raise BadObjectError(Flaw.SIZE, f"{size_bytes} bytes")
    header_bytes = await _read(store, name, 0, HEADER_SIZE)
    header = _header_of(header_bytes)
    layout = _layout_of(size_bytes, header)
    trailer_bytes = await _read(store, name, layout.trailer_at, size_bytes)
    trailer = _trailer_of(trailer_bytes, layout, header, recorders)
    last = await _read(store, name, layout.trailer_at - layout.last_size, layout.trailer_at) if key else b""
    contents = _Contents(header, layout, None if key is None else _opener(key, size_bytes, last + trailer_bytes))
    async with aclosing(store.stream_range(name, 0, size_bytes)) as pieces:
        async for piece in pieces:
            contents.push(piece)
    if contents.sealed_sha256 != trailer.sealed_sha256:
        raise BadObjectError(Flaw.HASH)
    return Inspected(
        size_bytes=size_bytes,
        sha256=contents.sha256,
        header_bytes=header_bytes,
        header=header,
        trailer=trailer,
        trailer_bytes=trailer_bytes,
        trailer_sha256=hashlib.sha256(trailer_bytes).digest(),
        walked=contents.finish(torn=trailer.state == STATE_RECOVERED),
    )


async def trailer_hash(store: ObjectStore, name: str, size_bytes: int) -> bytes | None:
    """SHA-256 of an object's trailer as it stands, not verified; None when there is none."""
    if size_bytes < OVERHEAD:
        return None
    try:
        data = await store.get_range(name, size_bytes - TRAILER_SIZE, size_bytes)
        parse_trailer(data)
    except (RefusedError, ObjectMissingError, StoreProtocolError):
        return None
    return hashlib.sha256(data).digest()


async def object_sha256(store: ObjectStore, info: ObjectInfo) -> bytes | None:
    """SHA-256 of the object's present bytes, as the store reports it or as computed; None when the object is gone."""
    known = await store.stat(info.name)
    if known is None or known.sha256 is not None:
        return None if known is None else known.sha256
    digest = hashlib.sha256()
    try:
        async with aclosing(store.stream_range(info.name, 0, known.size_bytes)) as pieces:
            async for piece in pieces:
                digest.update(piece)
    except ObjectMissingError:
        return None
    return digest.digest()


class _Contents:
    """Hashes and opens a whole object, piece by piece."""

    def __init__(self, header: Header, layout: ChunkLayout, opener: RangeOpener | None) -> None:
        self._step = (1 << header.core.chunk_log2) + TAG_SIZE
        self._layout = layout
        self._opener = opener
        self._walker = Walker()
        self._hash = hashlib.sha256()
        self._at = 0  # in the object
        self._buffer = bytearray()  # of a full chunk that is not whole yet
        self._opened = 0  # of plaintext
        self.sealed_sha256 = b""  # of header and chunks

    def push(self, piece: bytes | bytearray) -> None:
        """Take the next bytes of the object. BadObjectError at the first chunk or box that is wrong."""
        start, self._at = self._at, self._at + len(piece)
        view = memoryview(piece)
        trailer_at = self._layout.trailer_at
        self._hash.update(view[: max(0, trailer_at - start)])
        if self._at >= trailer_at and not self.sealed_sha256:
            self.sealed_sha256 = self._hash.digest()
        self._hash.update(view[max(0, trailer_at - start) :])
        if self._opener is not None:
            full_end = trailer_at - self._layout.last_size
            self._open(view[max(0, HEADER_SIZE - start) : max(0, full_end - start)])

    @property
    def sha256(self) -> bytes:
        """Of the whole object."""
        return self._hash.digest()

    def finish(self, *, torn: bool) -> Walked | None:
        """Return what the boxes hold; None for content that was not opened. BadObjectError: a box is unfinished."""
        if self._opener is None:
            return None
        self._walk(self._opened, self._layout.plain_len, b"")
        try:
            return self._walker.finish(torn=torn)
        except Mp4Error as exc:
            raise BadObjectError(Flaw.BOXES, exc.what) from exc

    def _open(self, sealed: memoryview) -> None:
        self._buffer += sealed
        chunks = len(self._buffer) // self._step
        if chunks:
            size = chunks * (self._step - TAG_SIZE)
            self._walk(self._opened, self._opened + size, bytes(self._buffer[: chunks * self._step]))
            self._opened += size
            del self._buffer[: chunks * self._step]

    def _walk(self, start: int, end: int, sealed: bytes) -> None:
        assert self._opener is not None
        try:
            plain = self._opener.open(start, end, sealed)
        except RefusedError:
            raise BadObjectError(Flaw.CHUNK, f"plaintext from {start}") from None
        try:
            self._walker.push(plain)
        except Mp4Error as exc:
            raise BadObjectError(Flaw.BOXES, exc.what) from exc


async def _read(store: ObjectStore, name: str, start: int, end: int) -> bytes:
    try:
        return await store.get_range(name, start, end)
    except ObjectMissingError as exc:
        raise BadObjectError(Flaw.MISSING) from exc
    except StoreProtocolError as exc:
        raise BadObjectError(Flaw.SIZE, "shorter than the row says") from exc


def _header_of(data: bytes) -> Header:
    try:
        return parse_header(data)
    except RefusedError:
        raise BadObjectError(Flaw.HEADER) from None


def _layout_of(size_bytes: int, header: Header) -> ChunkLayout:
    try:
        return layout_of(size_bytes, header.core.chunk_log2)
    except RefusedError:
        raise BadObjectError(Flaw.SIZE, f"{size_bytes} bytes") from None


def _trailer_of(data: bytes, layout: ChunkLayout, header: Header, recorders: Recorders) -> Trailer:
    try:
        trailer = parse_trailer(data)
    except RefusedError:
        raise BadObjectError(Flaw.TRAILER, "there is none at its place") from None
    if not trailer_fits(trailer, layout):
        raise BadObjectError(Flaw.TRAILER, "it does not fit the size")
    if (flaw := signer_flaw(header, trailer, recorders)) is not None:
        raise BadObjectError(Flaw.UNSIGNED, flaw)
    return trailer


def _opener(key: PayloadKey, size_bytes: int, tail: bytes) -> RangeOpener:
    opener = RangeOpener(key, size_bytes)
    try:
        opener.accept_tail(tail)
    except RefusedError:
        raise BadObjectError(Flaw.CHUNK, "the last one") from None
    return opener

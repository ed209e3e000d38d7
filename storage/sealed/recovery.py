"""What a recorder does with a sealed file that a crash left behind. It cannot open it, only measure and sign it.

Sealer.finish() keeps the last chunk short, so that bytes after the last full chunk are never as long as a full
chunk: every full length of chunk and tag in a torn file is a full chunk. ``length`` is how many bytes were
appended, which in a preallocated file only the spool knows.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from domain.ids import RecorderId
from storage.sealed.errors import RefusedError
from storage.sealed.format import (
    HEADER_SIZE,
    OVERHEAD,
    STATE_COMPLETE,
    STATE_RECOVERED,
    TAG_SIZE,
    TRAILER_SIZE,
    Header,
    Trailer,
    layout_of,
    parse_header,
    parse_trailer,
)
from storage.sealed.opener import signature_holds
from storage.sealed.sealer import sign_trailer

_GULP_BYTES = 1 << 20
_HOLE = bytes(12)
_PAGE_BYTES = 4096


class Seekable(Protocol):
    """A binary file opened for reading."""

    def seek(self, offset: int, /) -> int: ...
    def read(self, size: int, /) -> bytes: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Finished:
    """A file that holds a whole object."""

    header: Header
    header_bytes: bytes
    trailer: Trailer
    trailer_bytes: bytes
    size: int
    sha256: bytes  # of the whole object
    trailer_sha256: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Recovered:
    """How to mend a torn file: cut it to ``keep`` bytes, append ``trailer``."""

    header: Header
    header_bytes: bytes
    keep: int
    trailer: bytes
    plain_len: int
    size: int  # of the mended object
    sha256: bytes  # of the mended object
    trailer_sha256: bytes


def read_header(file: Seekable, length: int) -> tuple[bytes, Header]:
    """The header, as it is and parsed. RefusedError when it is not whole."""
    if length < HEADER_SIZE:
        raise RefusedError
    file.seek(0)
    data = file.read(HEADER_SIZE)
    return data, parse_header(data)


def read_finished(
    file: Seekable, length: int, recorder_public_key: bytes, header_read: tuple[bytes, Header] | None = None
) -> Finished | None:
    """The object in ``file``, when its trailer is ours and its hash agrees; None when the file is torn.

    RefusedError when not even the header is whole. ``header_read``: what ``read_header()`` gave before.
    """
    header_bytes, header = header_read or read_header(file, length)
    if length < OVERHEAD:
        return None
    file.seek(length - TRAILER_SIZE)
    trailer_bytes = file.read(TRAILER_SIZE)
    try:
        trailer = parse_trailer(trailer_bytes)
        layout = layout_of(length, header.core.chunk_log2)
    except RefusedError:
        return None
    state = STATE_COMPLETE if layout.last_size else STATE_RECOVERED
    if (trailer.state, trailer.plain_len) != (state, layout.plain_len):
        return None
    if not signature_holds(recorder_public_key, header.core_sha256, trailer):
        return None
    digest = _hash_of(file, length - TRAILER_SIZE)
    if digest.digest() != trailer.sealed_sha256:
        return None
    digest.update(trailer_bytes)
    return Finished(
        header=header,
        header_bytes=header_bytes,
        trailer=trailer,
        trailer_bytes=trailer_bytes,
        size=length,
        sha256=digest.digest(),
        trailer_sha256=hashlib.sha256(trailer_bytes).digest(),
    )


def recover(
    file: Seekable,
    length: int,
    *,
    end_ns: int,
    previous_trailer_sha256: bytes,
    recorder_id: RecorderId,
    sign: Callable[[bytes], bytes],
    header_read: tuple[bytes, Header] | None = None,
) -> Recovered:
    """A signed trailer over the full chunks of a torn file. RefusedError when not even the header is whole.

    ``end_ns`` is the end of what the full chunks hold, as far as the spool's journal knows.
    """
    header_bytes, header = header_read or read_header(file, length)
    chunk_size = 1 << header.core.chunk_log2
    chunks = (length - HEADER_SIZE) // (chunk_size + TAG_SIZE)
    keep = HEADER_SIZE + chunks * (chunk_size + TAG_SIZE)
    digest = _hash_of(file, keep)
    trailer = sign_trailer(
        core_sha256=header.core_sha256,
        state=STATE_RECOVERED,
        end_ns=end_ns,
        plain_len=chunks * chunk_size,
        sealed_sha256=digest.digest(),
        previous_sha256=previous_trailer_sha256,
        recorder_id=recorder_id,
        sign=sign,
    )
    digest.update(trailer)
    return Recovered(
        header=header,
        header_bytes=header_bytes,
        keep=keep,
        trailer=trailer,
        plain_len=chunks * chunk_size,
        size=keep + TRAILER_SIZE,
        sha256=digest.digest(),
        trailer_sha256=hashlib.sha256(trailer).digest(),
    )


def written_length(file: Seekable, length: int) -> int:
    """How much of a torn file was really written: a power cut may keep the length and lose pages, which read as zeros.

    Sealed bytes are never twelve zeros in a row, but by a chance of 2**-96. A hole at the very end may be shorter.
    """
    file.seek(HEADER_SIZE)
    at, tail = HEADER_SIZE, b""
    while at < length:
        new = file.read(min(length - at, _GULP_BYTES))
        if not new:
            raise RefusedError
        piece = tail + new
        found = piece.find(_HOLE)
        if found >= 0:
            return at - len(tail) + found
        at += len(new)
        tail = piece[1 - len(_HOLE) :]
    over = length % _PAGE_BYTES
    return length - over if 0 < over < len(_HOLE) and not any(tail[-over:]) else length


def _hash_of(file: Seekable, length: int) -> hashlib._Hash:
    digest = hashlib.sha256()
    file.seek(0)
    left = length
    while left:
        piece = file.read(min(left, _GULP_BYTES))
        if not piece:
            raise RefusedError
        digest.update(piece)
        left -= len(piece)
    return digest

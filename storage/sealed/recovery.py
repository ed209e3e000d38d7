"""Repairs a sealed file after a crash. The recorder cannot decrypt it: it measures the file and signs what is whole.

``Sealer.finish()`` keeps the last chunk so short that the bytes after the last full chunk are always fewer than a
full sealed chunk. Every full length of chunk and tag in a torn file is therefore a full chunk. Below, ``length`` is
the number of bytes that were appended; a preallocated file may be longer, so only the spool knows it.
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

_READ_BYTES = 1 << 20
_HOLE = bytes(12)  # sealed bytes are uniformly random: twelve zeros occur at a given offset with probability 2**-96
_PAGE_BYTES = 4096


class Seekable(Protocol):
    """A binary file opened for reading."""

    def seek(self, offset: int, /) -> int:
        """As io.BufferedIOBase."""
        ...

    def read(self, size: int, /) -> bytes:
        """As io.BufferedIOBase."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class FinishedObject:
    """Contents of a file that holds a whole object."""

    header: Header
    header_bytes: bytes
    trailer: Trailer
    trailer_bytes: bytes
    size: int
    sha256: bytes  # of the whole object
    trailer_sha256: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class ObjectRecovery:
    """How to repair a torn file: truncate it to ``keep_size`` bytes, then append ``trailer``."""

    header: Header
    header_bytes: bytes
    keep_size: int
    trailer: bytes  # 168 bytes, state recovered
    plain_len: int
    size: int  # of the repaired object
    sha256: bytes  # of the repaired object
    trailer_sha256: bytes


def read_header(file: Seekable, length: int) -> tuple[bytes, Header]:
    """Return the header's 210 bytes and the parsed header. RefusedError when it is incomplete or invalid."""
    if length < HEADER_SIZE:
        raise RefusedError
    file.seek(0)
    data = file.read(HEADER_SIZE)
    return data, parse_header(data)


def read_finished(
    file: Seekable, length: int, recorder_public_key: bytes, header_read: tuple[bytes, Header] | None = None
) -> FinishedObject | None:
    """Return the object in ``file`` when this recorder signed its trailer and the hash agrees; None: the file is torn.

    RefusedError when the header is incomplete or invalid. ``header_read``: an earlier result of ``read_header()``.
    """
    header_bytes, header = header_read or read_header(file, length)
    # Too short for header and trailer: whatever follows the header is torn.
    if length < OVERHEAD:
        return None
    file.seek(length - TRAILER_SIZE)
    trailer_bytes = file.read(TRAILER_SIZE)
    try:
        trailer = parse_trailer(trailer_bytes)
        layout = layout_of(length, header.core.chunk_log2)
    except RefusedError:
        return None
    # A torn file may end in bytes that parse as a trailer. Only one whose length agrees, that this recorder signed and
    # whose hash covers every byte before it is whole.
    state = STATE_COMPLETE if layout.last_size else STATE_RECOVERED
    if (trailer.state, trailer.plain_len) != (state, layout.plain_len):
        return None
    if not signature_holds(recorder_public_key, header.core_sha256, trailer):
        return None
    digest = _hash_of(file, length - TRAILER_SIZE)
    if digest.digest() != trailer.sealed_sha256:
        return None
    digest.update(trailer_bytes)
    return FinishedObject(
        header=header,
        header_bytes=header_bytes,
        trailer=trailer,
        trailer_bytes=trailer_bytes,
        size=length,
        sha256=digest.digest(),
        trailer_sha256=hashlib.sha256(trailer_bytes).digest(),
    )


def plan_recovery(
    file: Seekable,
    length: int,
    *,
    end_ns: int,
    previous_trailer_sha256: bytes,
    recorder_id: RecorderId,
    sign: Callable[[bytes], bytes],
    header_read: tuple[bytes, Header] | None = None,
) -> ObjectRecovery:
    """Sign a trailer over the full chunks of a torn file. Writes nothing.

    ``end_ns``: the end of the footage in the full chunks, from the spool's metadata. RefusedError when the header is
    incomplete or invalid.
    """
    header_bytes, header = header_read or read_header(file, length)
    chunk_size = 1 << header.core.chunk_log2
    # Rounded down: what follows the last full chunk is a part of a chunk, or a last chunk, possibly with a part of its
    # trailer. Without keys none of these can be told apart, so all are dropped.
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
    # The object's own hash covers the trailer too; the hash inside the trailer cannot.
    digest.update(trailer)
    return ObjectRecovery(
        header=header,
        header_bytes=header_bytes,
        keep_size=keep,
        trailer=trailer,
        plain_len=chunks * chunk_size,
        size=keep + TRAILER_SIZE,
        sha256=digest.digest(),
        trailer_sha256=hashlib.sha256(trailer).digest(),
    )


def written_length(file: Seekable, length: int) -> int:
    """Return how many bytes of a torn file reached the disk, up to ``length``.

    A power cut may keep a file's length and lose pages, which then read as zeros: nothing may be signed from the first
    such page on. The search looks for twelve zeros, which chunks do not contain. (The part of a trailer that follows a
    torn file's last chunk may contain them; recovery drops that part anyway.) The last page may hold fewer than twelve
    bytes: it counts as lost when all of them are zero. RefusedError: the file is shorter than ``length``.
    """
    file.seek(HEADER_SIZE)  # a header may hold runs of zeros: a start_ns, a low UUID
    at, tail = HEADER_SIZE, b""
    while at < length:
        new = file.read(min(length - at, _READ_BYTES))
        if not new:
            raise RefusedError
        piece = tail + new
        found = piece.find(_HOLE)
        if found >= 0:
            return at - len(tail) + found
        at += len(new)
        tail = piece[1 - len(_HOLE) :]  # a hole may lie across two reads
    # The disk loses whole pages. Fewer than twelve bytes on the last page escape the search above.
    over = length % _PAGE_BYTES
    return length - over if 0 < over < len(_HOLE) and not any(tail[-over:]) else length


def _hash_of(file: Seekable, length: int) -> hashlib._Hash:
    """SHA-256 over the first ``length`` bytes, open for more. RefusedError: the file is shorter."""
    digest = hashlib.sha256()
    file.seek(0)
    left = length
    while left:
        piece = file.read(min(left, _READ_BYTES))
        if not piece:
            raise RefusedError
        digest.update(piece)
        left -= len(piece)
    return digest

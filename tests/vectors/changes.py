"""The line "Refuse" of the format's page as changes to objects: what is done to one, and whether it is signed again.

A vector is a list of pieces, each a range of a file or bytes in hexadecimal, so that what was changed can be read.
"""

from __future__ import annotations

import hashlib
import os
import struct
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

HEADER, TRAILER, TAG = 210, 168, 16
Piece = tuple[str, int, int] | str
Sign = Callable[[bytes, bytes], bytes]  # (SHA-256 of the core, the trailer's bytes before the signature)

# Every field, by name: (offset, size); negative offsets count from the end.
CORE_FIELDS: Mapping[str, tuple[int, int]] = {
    "magic": (0, 4),
    "version": (4, 1),
    "suite": (5, 1),
    "chunk-size": (6, 1),
    "flags": (7, 1),
    "site": (8, 16),
    "camera": (24, 16),
    "segment": (40, 16),
    "hour-key": (56, 16),
    "start": (72, 8),
    "salt": (80, 16),
}
HEADER_FIELDS: Mapping[str, tuple[int, int]] = CORE_FIELDS | {
    "commitment": (96, 32),
    "wrap-length": (128, 2),
    "enc": (130, 32),
    "ct": (162, 48),
}
TRAILER_FIELDS: Mapping[str, tuple[int, int]] = {
    "trailer-magic": (-168, 4),
    "state": (-164, 1),
    "zeros": (-163, 3),
    "recorder": (-160, 16),
    "end": (-144, 8),
    "plain-len": (-136, 8),
    "hash": (-128, 32),
    "previous": (-96, 32),
    "signature": (-64, 64),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Base:
    """An object that opens, in a file."""

    file: str
    data: bytes
    chunk_log2: int = 14

    @property
    def chunks(self) -> list[tuple[int, int]]:
        """Where each sealed chunk lies."""
        step, end = (1 << self.chunk_log2) + TAG, len(self.data) - TRAILER
        return [(at, min(at + step, end)) for at in range(HEADER, end, step)]


def whole(base: Base) -> list[Piece]:
    return [(base.file, 0, len(base.data))]


def replaced(base: Base, at: int, new: bytes) -> list[Piece]:
    """The object with the bytes from ``at`` on replaced by ``new``."""
    at %= len(base.data)
    return [(base.file, 0, at), new.hex(), (base.file, at + len(new), len(base.data))]


def flipped(base: Base, at: int, bit: int = 0) -> list[Piece]:
    at %= len(base.data)
    return replaced(base, at, bytes([base.data[at] ^ 1 << bit]))


def assemble(pieces: Sequence[Piece], files: Mapping[str, bytes]) -> bytes:
    return b"".join(
        bytes.fromhex(piece) if isinstance(piece, str) else files[piece[0]][piece[1] : piece[2]] for piece in pieces
    )


def signed_again(pieces: list[Piece], files: Mapping[str, bytes], sign: Sign, **changed: int) -> list[Piece]:
    """With a trailer that states the changed object's hash, and ``changed`` fields, rightly signed."""
    data = assemble(pieces, files)
    magic, state, zeros, recorder, end_ns, plain_len, _, previous = struct.unpack(
        ">4sB3s16sqQ32s32s", data[-TRAILER:-64]
    )
    state, plain_len = changed.get("state", state), changed.get("plain_len", plain_len)
    digest = hashlib.sha256(data[:-TRAILER]).digest()
    head = struct.pack(">4sB3s16sqQ32s32s", magic, state, zeros, recorder, end_ns, plain_len, digest, previous)
    trailer = head + sign(hashlib.sha256(data[:96]).digest(), head)
    return [*cut(pieces, len(data) - TRAILER), trailer.hex()]


def cut(pieces: Sequence[Piece], size: int) -> list[Piece]:
    """The first ``size`` bytes."""
    kept: list[Piece] = []
    for piece in pieces:
        length = len(piece) // 2 if isinstance(piece, str) else piece[2] - piece[1]
        take = min(length, size)
        if take:
            kept.append(piece[: 2 * take] if isinstance(piece, str) else (piece[0], piece[1], piece[1] + take))
        size -= take
    return kept


def refusals(
    base: Base, foreign: Base, recovered: Base, files: Mapping[str, bytes], sign: Sign
) -> Iterator[tuple[str, list[Piece]]]:
    """(name, pieces) of everything that must be refused. ``foreign``: another segment of the same camera and hour."""
    size = len(base.data)

    def again(pieces: list[Piece], **changed: int) -> list[Piece]:
        return signed_again(pieces, files, sign, **changed)

    for name, (at, length) in {**HEADER_FIELDS, **TRAILER_FIELDS}.items():
        yield f"flip-{name}", flipped(base, at + length // 2, length % 7)
    for name, (at, length) in HEADER_FIELDS.items():
        yield f"flip-{name}-signed-again", again(flipped(base, at + length // 2, length % 7))
    for value in (13, 15, 19):
        yield f"chunk-size-{value}-signed-again", again(replaced(base, 6, bytes([value])))
    for value in (79, 81):
        yield f"wrap-length-{value}-signed-again", again(replaced(base, 128, struct.pack(">H", value)))
    yield "enc-of-low-order-signed-again", again(replaced(base, 130, bytes(32)))
    for name, (at, end) in zip(("first", "middle", "last"), base.chunks, strict=True):
        yield f"flip-{name}-chunk-signed-again", again(flipped(base, at))
        yield f"flip-{name}-tag-signed-again", again(flipped(base, end - 1, 7))
    for length in (0, 1, 95, 96, HEADER - 1, HEADER, HEADER + TRAILER - 1, base.chunks[1][0], size - TRAILER, size - 1):
        yield f"cut-to-{length}", cut(whole(base), length)
    yield "one-byte-more", [*whole(base), "00"]
    yield "one-byte-before", ["54", *whole(base)]
    yield from _moved_chunks(base, foreign, again)
    yield from _taken_from(base, foreign, again)
    file, end = base.file, len(base.data)
    at = base.chunks[-1][0]
    yield "last-chunk-dropped", [(file, 0, at), (file, end - TRAILER, end)]
    yield "complete-called-recovered", again(whole(base), state=1)
    yield "recovered-called-complete", again(whole(recovered), state=0)
    yield "state-2-signed-again", again(whole(base), state=2)
    stated = struct.unpack(">Q", base.data[-136:-128])[0]
    for name, off in (("less", -1), ("more", 1)):
        yield f"plain-len-one-{name}-signed-again", again(whole(base), plain_len=stated + off)
    yield "rubbish", [os.urandom(600).hex()]


def _moved_chunks(base: Base, foreign: Base, again: Callable[..., list[Piece]]) -> Iterator[tuple[str, list[Piece]]]:
    file, size = base.file, len(base.data)
    (a, b), (_, c), (_, d) = base.chunks
    stated = struct.unpack(">Q", base.data[-136:-128])[0]
    chunk = 1 << base.chunk_log2
    moved = {
        "swapped": ([(file, 0, a), (file, b, c), (file, a, b), (file, c, size)], stated),
        "dropped": ([(file, 0, a), (file, b, size)], stated - chunk),
        "repeated": ([(file, 0, b), (file, a, size)], stated + chunk),
        "foreign-chunk": ([(file, 0, a), (foreign.file, a, b), (file, b, size)], stated),
        "foreign-last-chunk": ([(file, 0, c), (foreign.file, c, d), (file, d, size)], stated),
        "all-chunks-foreign": ([(file, 0, a), (foreign.file, a, d), (file, d, size)], stated),
    }
    for name, (pieces, plain_len) in moved.items():
        yield name, list[Piece](pieces)
        yield f"{name}-signed-again", again(list[Piece](pieces), plain_len=plain_len)


def _taken_from(base: Base, foreign: Base, again: Callable[..., list[Piece]]) -> Iterator[tuple[str, list[Piece]]]:
    """A valid header, core, commitment, wrap or trailer of the other segment, which the same hour key opens."""
    file, size = base.file, len(base.data)
    parts = {
        "core": (0, 96),
        "commitment": (96, 128),
        "wrap": (128, HEADER),
        "commitment-and-wrap": (96, HEADER),
        "header": (0, HEADER),
    }
    for name, (at, end) in parts.items():
        pieces: list[Piece] = [(file, 0, at), (foreign.file, at, end), (file, end, size)]
        yield f"foreign-{name}", pieces
        yield f"foreign-{name}-signed-again", again(pieces)
    yield "foreign-trailer", [(file, 0, size - TRAILER), (foreign.file, size - TRAILER, size)]

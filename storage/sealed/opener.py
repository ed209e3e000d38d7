"""Opens byte ranges of a sealed segment: says which sealed bytes it needs and decrypts them. No I/O.

Before it releases a byte, the opener verifies the trailer's signature and that the trailer's length agrees with the
object's size. The trailer comes from the object, together with the last chunk (``accept_tail``), or from the
catalogue's row (``accept_trailer``); its source does not matter, since the signature covers the segment's core.
Every failure raises the same RefusedError (sealed-format.md, "Refuse").
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field

from cryptography.exceptions import InvalidSignature, InvalidTag
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from domain.ids import CameraId, RecorderId, SegmentId
from storage.sealed.errors import RefusedError
from storage.sealed.format import (
    STATE_COMPLETE,
    STATE_RECOVERED,
    TAG_SIZE,
    TRAILER_SIZE,
    ChunkLayout,
    Trailer,
    layout_of,
    nonce,
    parse_trailer,
    trailer_message,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class PayloadKey:
    """What the custodian releases for one segment.

    The key decrypts this segment and no other. Being symmetric, it could also re-encrypt the segment's chunks:
    `tallenne verify` finds such a change, since the recorder signed the SHA-256 of the sealed bytes.
    """

    segment_id: SegmentId
    camera_id: CameraId
    start_ns: int
    chunk_log2: int
    core_sha256: bytes
    key: bytes = field(repr=False)
    recorders: Mapping[RecorderId, bytes]  # Ed25519 public keys of the recorders whose trailers are valid


class RangeOpener:
    """Opens one object. Offsets are plaintext offsets unless their name says sealed.

    ``size`` is the object's size in the catalogue's row, not the size that the store reports: an object that was cut
    or extended then fails where the change begins. ``last_inline``: the trailer comes from the row, so the last chunk
    is fetched and opened like any other chunk instead of with the tail.
    """

    __slots__ = ("_aead", "_key", "_last", "_last_inline", "_layout", "trailer", "trailer_sha256")

    def __init__(self, key: PayloadKey, size: int, *, last_inline: bool = False) -> None:
        self._last_inline = last_inline
        self._layout = layout_of(size, key.chunk_log2)
        self._key = key
        self._aead = AESGCM(key.key)
        self._last: bytes | None = None
        self.trailer: Trailer | None = None
        self.trailer_sha256 = b""

    @property
    def layout(self) -> ChunkLayout:
        """Positions of the chunks in the object."""
        return self._layout

    @property
    def plain_len(self) -> int:
        """Bytes of plaintext, computed from the object's size."""
        return self._layout.plain_len

    @property
    def chunk_size(self) -> int:
        """Plaintext bytes of a full chunk."""
        return self._layout.chunk_size

    @property
    def tail_range(self) -> tuple[int, int]:
        """Sealed range that ``accept_tail`` takes: the last chunk, if there is one, and the trailer."""
        return self._layout.tail_range

    def accept_trailer(self, data: bytes | memoryview) -> Trailer:
        """Verify the trailer alone, 168 bytes. RefusedError."""
        if len(data) != TRAILER_SIZE:
            raise RefusedError
        self.trailer = self._verified(data)
        self.trailer_sha256 = hashlib.sha256(data).digest()
        return self.trailer

    def accept_tail(self, data: bytes | memoryview) -> Trailer:
        """Verify the trailer, decrypt the last chunk and keep its plaintext. RefusedError."""
        start, end = self.tail_range
        if len(data) != end - start:
            raise RefusedError
        view = memoryview(data)
        trailer = self._verified(view[-TRAILER_SIZE:])
        last = b""
        if self._layout.last_size:
            # Only the last chunk was sealed under a nonce that ends in 1: an object cut at a chunk boundary fails here.
            opened = _decrypt(self._aead, nonce(self._layout.full_chunks, True), view[: self._layout.last_size])
            if opened is None:
                raise RefusedError
            last = opened
        self._last, self.trailer = last, trailer
        self.trailer_sha256 = hashlib.sha256(view[-TRAILER_SIZE:]).digest()
        return trailer

    @property
    def ready(self) -> bool:
        """Whether ``open()`` may be called: the tail has been accepted, or with ``last_inline`` the trailer."""
        return self.trailer is not None and (self._last_inline or self._last is not None)

    def forget(self) -> None:
        """Drop the last chunk's plaintext and the verified trailer. ``open()`` needs the tail or trailer again."""
        self._last, self.trailer = None, None

    def clamp(self, start: int, end: int) -> tuple[int, int]:
        """Return the existing part of [start, end), or (0, 0) when there is none."""
        return self._layout.clamp(start, end)

    def sealed_range(self, start: int, end: int) -> tuple[int, int]:
        """Return the sealed range to fetch for ``open(start, end, ...)``; possibly empty.

        It covers the last chunk with ``last_inline`` only: otherwise ``accept_tail`` has brought that chunk.
        """
        return self._layout.sealed_range(start, end, last=self._last_inline)

    def open(self, start: int, end: int, sealed: bytes | memoryview) -> memoryview:
        """Return plaintext [start, end), clamped. ``sealed``: the bytes of ``sealed_range(start, end)``.

        Decrypts every chunk of the range before it returns a byte. The result is writable and belongs to the caller.
        RefusedError: a chunk does not authenticate or ``sealed`` has another length. RuntimeError: not ``ready``.
        """
        if not self.ready:
            raise RuntimeError("the tail has not been accepted yet")
        start, end = self.clamp(start, end)
        sealed_start, sealed_end = self.sealed_range(start, end)
        if len(sealed) != sealed_end - sealed_start:
            raise RefusedError
        first = start // self._layout.chunk_size
        # A chunk is the smallest unit that authenticates, so the range is opened from the start of its first chunk.
        base = first * self._layout.chunk_size
        # With the trailer from the row, the sealed bytes may end with the last chunk, which is shorter and has the
        # other nonce.
        in_last = self._layout.last_size if self._last_inline and self._layout.in_last(end) else 0
        view = memoryview(sealed)[: len(sealed) - in_last]
        full = len(view) // self._layout.sealed_chunk_size * self._layout.chunk_size
        plain = bytearray(max(full, end - base))
        out = memoryview(plain)
        if not self._open_full(first, view, out[:full]):
            raise RefusedError
        last = self._last
        if in_last:
            last = _decrypt(self._aead, nonce(self._layout.full_chunks, True), memoryview(sealed)[len(view) :])
            if last is None:
                raise RefusedError
        # The range reaches into the last chunk.
        if end - base > full:
            if last is None:
                raise RefusedError
            out[full:] = memoryview(last)[: end - base - full]
        return out[start - base : end - base]

    def _open_full(self, first: int, sealed: memoryview, out: memoryview) -> bool:
        """Decrypt full chunks into ``out``, beginning with chunk ``first``. False: one does not authenticate."""
        size = self._layout.chunk_size
        step = size + TAG_SIZE
        # Into the caller's buffer: a range of many chunks is copied once, by the cipher itself.
        decrypt_into = self._aead.decrypt_into
        try:
            for number in range(len(sealed) // step):
                at = number * step
                to = number * size
                # The nonce holds the chunk's index: a chunk that was moved, repeated or dropped does not authenticate.
                decrypt_into(nonce(first + number, False), sealed[at : at + step], None, out[to : to + size])
        except InvalidTag:
            return False
        return True

    def _verified(self, data: bytes | memoryview) -> Trailer:
        """Parse the trailer, compare it with the object's size, verify its signature. RefusedError."""
        trailer = parse_trailer(data)
        # A recovered object has full chunks only, a complete one always has a last chunk (sealed-format.md, "Bytes").
        expected_state = STATE_COMPLETE if self._layout.last_size else STATE_RECOVERED
        # The length is signed: an object that was cut or extended together with its row's size does not match it.
        if (trailer.state, trailer.plain_len) != (expected_state, self._layout.plain_len):
            raise RefusedError
        if not self._signed(trailer):
            raise RefusedError
        return trailer

    def _signed(self, trailer: Trailer) -> bool:
        public_key = self._key.recorders.get(trailer.recorder_id)
        # The recorder was never enrolled, or its enrolment was revoked.
        if public_key is None:
            return False
        return signature_holds(public_key, self._key.core_sha256, trailer)


def signature_holds(public_key: bytes, core_sha256: bytes, trailer: Trailer) -> bool:
    """Whether the owner of ``public_key`` (Ed25519, 32 bytes) signed this trailer for this core (RFC 8032, 5.1.7)."""
    message = trailer_message(core_sha256, trailer.signed_part())
    try:
        Ed25519PublicKey.from_public_bytes(public_key).verify(trailer.signature, message)
    except InvalidSignature:
        return False
    return True


def _decrypt(aead: AESGCM, nonce_bytes: bytes, sealed: memoryview) -> bytes | None:
    """Return None instead of raising, so that the caller raises RefusedError without a context."""
    try:
        return aead.decrypt(nonce_bytes, sealed, None)
    except InvalidTag:
        return None

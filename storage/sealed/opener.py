"""Opens byte ranges of a sealed segment: says which bytes it needs and turns them into plaintext. No I/O.

Nothing is released before the object's size and the trailer's signature have been found right: those of a trailer
that is known otherwise (``accept_trailer``), or of the object's own, with its last chunk (``accept_tail``). It is
signed over the segment's core: it does not matter where it comes from. Every failure is the one RefusedError.
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
    Layout,
    Trailer,
    layout_of,
    nonce,
    parse_trailer,
    trailer_message,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class PayloadKey:
    """What the custodian hands out for one segment: enough to read it, not enough to make another."""

    segment_id: SegmentId
    camera_id: CameraId
    start_ns: int
    chunk_log2: int
    core_sha256: bytes
    key: bytes = field(repr=False)
    recorders: Mapping[RecorderId, bytes]  # enrolled public keys that may have signed the trailer


class RangeOpener:
    """One object of ``size`` bytes, as the catalogue states it. Offsets below are of plaintext unless called sealed.

    last_inline: the last chunk is opened like any other, since the trailer comes from elsewhere
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
    def layout(self) -> Layout:
        """Where the chunks lie."""
        return self._layout

    @property
    def plain_len(self) -> int:
        return self._layout.plain_len

    @property
    def chunk_size(self) -> int:
        return self._layout.chunk_size

    @property
    def tail_range(self) -> tuple[int, int]:
        """Sealed range that ``accept_tail`` wants: the last chunk, if any, and the trailer."""
        return self._layout.tail_range

    def accept_trailer(self, data: bytes | memoryview) -> Trailer:
        """Verify the trailer alone. RefusedError."""
        if len(data) != TRAILER_SIZE:
            raise RefusedError
        self.trailer = self._verified(data)
        self.trailer_sha256 = hashlib.sha256(data).digest()
        return self.trailer

    def accept_tail(self, data: bytes | memoryview) -> Trailer:
        """Verify the trailer and open the last chunk. RefusedError."""
        start, end = self.tail_range
        if len(data) != end - start:
            raise RefusedError
        view = memoryview(data)
        trailer = self._verified(view[-TRAILER_SIZE:])
        last = b""
        if self._layout.last_size:
            number = nonce(self._layout.full_chunks, True)
            opened = _decrypt(self._aead, number, view[: self._layout.last_size])
            if opened is None:
                raise RefusedError
            last = opened
        self._last, self.trailer = last, trailer
        self.trailer_sha256 = hashlib.sha256(view[-TRAILER_SIZE:]).digest()
        return trailer

    @property
    def ready(self) -> bool:
        """Whether the tail has been accepted, or with ``last_inline`` the trailer."""
        return self.trailer is not None and (self._last_inline or self._last is not None)

    def forget(self) -> None:
        """Keep no opened byte: trailer or tail has to be accepted anew before anything else opens."""
        self._last, self.trailer = None, None

    def clamp(self, start: int, end: int) -> tuple[int, int]:
        """The part of [start, end) that exists; (0, 0) when there is none."""
        return self._layout.clamp(start, end)

    def sealed_range(self, start: int, end: int) -> tuple[int, int]:
        """Sealed range of the chunks that hold [start, end), of the last one only with ``last_inline``; or empty."""
        return self._layout.sealed_range(start, end, last=self._last_inline)

    def open(self, start: int, end: int, sealed: bytes | memoryview) -> memoryview:
        """Plaintext [start, end), clamped; ``sealed`` is what ``sealed_range`` asked for. RefusedError.

        The memoryview is writable and the caller's own.
        """
        if not self.ready:
            raise RuntimeError("accept_tail() comes first")
        start, end = self.clamp(start, end)
        if start == end:
            return memoryview(bytearray())
        sealed_start, sealed_end = self.sealed_range(start, end)
        if len(sealed) != sealed_end - sealed_start:
            raise RefusedError
        first = start // self._layout.chunk_size
        base = first * self._layout.chunk_size
        in_last = self._layout.last_size if self._last_inline and self._layout.in_last(end) else 0
        view = memoryview(sealed)[: len(sealed) - in_last]
        full = len(view) // self._layout.step * self._layout.chunk_size
        plain = bytearray(max(full, end - base))
        out = memoryview(plain)
        if not self._open_full(first, view, out[:full]):
            raise RefusedError
        last = self._last
        if in_last:
            number = nonce(self._layout.full_chunks, True)
            last = _decrypt(self._aead, number, memoryview(sealed)[len(view) :])
        if end - base > full:
            if last is None:
                raise RefusedError
            out[full:] = memoryview(last)[: end - base - full]
        return out[start - base : end - base]

    def _open_full(self, first: int, sealed: memoryview, out: memoryview) -> bool:
        size = self._layout.chunk_size
        step = size + TAG_SIZE
        decrypt_into = self._aead.decrypt_into
        try:
            for number in range(len(sealed) // step):
                at = number * step
                to = number * size
                decrypt_into(nonce(first + number, False), sealed[at : at + step], None, out[to : to + size])
        except InvalidTag:
            return False
        return True

    def _verified(self, data: bytes | memoryview) -> Trailer:
        trailer = parse_trailer(data)
        expected_state = STATE_COMPLETE if self._layout.last_size else STATE_RECOVERED
        if (trailer.state, trailer.plain_len) != (expected_state, self._layout.plain_len):
            raise RefusedError
        if not self._signed(trailer):
            raise RefusedError
        return trailer

    def _signed(self, trailer: Trailer) -> bool:
        public_key = self._key.recorders.get(trailer.recorder_id)
        if public_key is None:
            return False
        return signature_holds(public_key, self._key.core_sha256, trailer)


def signature_holds(public_key: bytes, core_sha256: bytes, trailer: Trailer) -> bool:
    """Whether the recorder with this Ed25519 key signed this trailer for this core."""
    message = trailer_message(core_sha256, trailer.signed_part())
    try:
        Ed25519PublicKey.from_public_bytes(public_key).verify(trailer.signature, message)
    except InvalidSignature:
        return False
    return True


def _decrypt(aead: AESGCM, number: bytes, sealed: memoryview) -> bytes | None:
    try:
        return aead.decrypt(number, sealed, None)
    except InvalidTag:
        return None

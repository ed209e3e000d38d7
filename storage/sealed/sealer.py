"""Seals one segment as it is recorded: plaintext in, header, chunks and trailer out. No I/O, no clock.

The keys live in buffers that are overwritten as soon as they have been used; the cipher's own copy goes with
``finish()``. (Python cannot promise that no other copy was made; a test searches the process's memory.)
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from typing import Final

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from domain.ids import CameraId, RecorderId, SegmentId, SiteId
from storage.keys.hour_key import PublicHourKey
from storage.sealed.errors import SegmentFullError, WrongKeyError
from storage.sealed.format import (
    CHUNK_LOG2_MAX,
    CHUNK_LOG2_MIN,
    CHUNKS_MAX,
    DATA_KEY_SIZE,
    HPKE,
    SALT_SIZE,
    STATE_COMPLETE,
    TAG_SIZE,
    TRAILER_SIZE,
    Core,
    Trailer,
    derive_into,
    nonce,
    pack_header,
    trailer_message,
    wrap_info,
)

_BOX_HEADER_SIZE: Final = 8  # the smallest `free` box
_LAST_CHUNK_ROOM: Final = TRAILER_SIZE + TAG_SIZE
Plain = bytes | bytearray | memoryview


class Sealer:
    """One segment, once. Feed whole boxes (init, then fragments): `free` boxes may be put between two pushes.

    header: 210 bytes, to be written first.
    push() and pad() return sealed chunks to be appended in order; finish() returns the rest of the object.
    plain_len: bytes of plaintext so far, `free` boxes included: the offset of what is pushed next.
    waiting: bytes of it that are not sealed yet and would be lost in a crash.
    """

    __slots__ = ("_aead", "_chunk_size", "_core_sha256", "_fill", "_hash", "_index", "_pieces", "_trailer", "header")

    def __init__(
        self,
        *,
        site_id: SiteId,
        camera_id: CameraId,
        segment_id: SegmentId,
        hour_key: PublicHourKey,
        start_ns: int,
        chunk_log2: int,
    ) -> None:
        """WrongKeyError when ``hour_key`` is not this camera's key for ``start_ns``."""
        if not CHUNK_LOG2_MIN <= chunk_log2 <= CHUNK_LOG2_MAX:
            raise ValueError(f"chunk_log2 is {chunk_log2}")
        if (hour_key.camera_id, hour_key.site_id) != (camera_id, site_id) or not hour_key.valid_at(start_ns):
            raise WrongKeyError(f"Hour key {hour_key.hour_key_id} is not valid for this camera at {start_ns}.")
        core = Core(
            chunk_log2=chunk_log2,
            site_id=site_id,
            camera_id=camera_id,
            segment_id=segment_id,
            hour_key_id=hour_key.hour_key_id,
            start_ns=start_ns,
            salt=os.urandom(SALT_SIZE),
        )
        packed = core.pack()
        self._core_sha256 = hashlib.sha256(packed).digest()
        self._aead: AESGCM | None
        self._aead, commitment, wrap = _make_keys(core, self._core_sha256, hour_key)
        self.header = pack_header(packed, commitment, wrap)
        self._hash = hashlib.sha256(self.header)
        self._chunk_size = 1 << chunk_log2
        self._pieces: list[Plain] = []  # of the chunk that is not full yet
        self._fill = 0  # their bytes
        self._index = 0
        self._trailer = b""

    @property
    def plain_len(self) -> int:
        return self._index * self._chunk_size + self._fill

    @property
    def waiting(self) -> int:
        return self._fill

    @property
    def room(self) -> int:
        """Bytes of plaintext that still fit."""
        return (CHUNKS_MAX - 1) * self._chunk_size - self.plain_len

    def push(self, *pieces: Plain) -> list[bytes]:
        """Sealed full chunks, possibly none. What does not fill one is kept as it is: never change it afterwards.

        Pieces are copied once, into their chunk; a chunk that is wholly in one of them is sealed from there.
        """
        if sum(map(len, pieces)) > self.room:
            raise SegmentFullError("A segment holds more than its chunks can.", "Cut segments earlier.")
        chunk_size, kept = self._chunk_size, self._pieces
        sealed: list[bytes] = []
        for piece in pieces:
            size = len(piece)
            if self._fill + size < chunk_size:
                kept.append(piece)
                self._fill += size
                continue
            view, at = memoryview(piece), 0
            while self._fill + size - at >= chunk_size:
                kept.append(view[at : at + chunk_size - self._fill])
                at += chunk_size - self._fill
                sealed.append(self._seal())
            if at < size:
                kept.append(view[at:])
                self._fill = size - at
        return sealed

    def pad(self) -> list[bytes]:
        """Seals what waits by filling its chunk with a `free` box; one chunk further when fewer than 8 bytes remain."""
        if not self._fill:
            return []
        size = self._chunk_size - self._fill
        if size < _BOX_HEADER_SIZE:
            size += self._chunk_size
        return self.push(size.to_bytes(4, "big") + b"free" + bytes(size - _BOX_HEADER_SIZE))

    def finish(
        self,
        *,
        end_ns: int,
        previous_trailer_sha256: bytes,
        recorder_id: RecorderId,
        sign: Callable[[bytes], bytes],
    ) -> bytes:
        """The last chunks and the trailer; to be appended in one piece. The sealer is used up afterwards.

        The last chunk is kept so short that it and any part of the trailer are never as long as a full chunk:
        whoever recovers a torn file can then tell a full chunk by its length alone.
        """
        tail: list[bytes] = []
        if self._fill > self._chunk_size - _LAST_CHUNK_ROOM:
            tail = self.pad()
        last = self._cipher().encrypt(nonce(self._index, True), b"".join(self._pieces), None)
        self._hash.update(last)
        trailer = sign_trailer(
            core_sha256=self._core_sha256,
            state=STATE_COMPLETE,
            end_ns=end_ns,
            plain_len=self.plain_len,
            sealed_sha256=self._hash.digest(),
            previous_sha256=previous_trailer_sha256,
            recorder_id=recorder_id,
            sign=sign,
        )
        self._aead = None
        self._pieces.clear()
        self._trailer = trailer
        return b"".join((*tail, last, trailer))

    @property
    def trailer(self) -> bytes:
        """168 bytes; known after ``finish()``."""
        if not self._trailer:
            raise RuntimeError("the segment is not finished")
        return self._trailer

    @property
    def object_sha256(self) -> bytes:
        """Of the whole object; known after ``finish()``."""
        trailer = self.trailer
        whole = self._hash.copy()
        whole.update(trailer)
        return whole.digest()

    @property
    def trailer_sha256(self) -> bytes:
        """What the camera's next trailer names as the previous one; known after ``finish()``."""
        return hashlib.sha256(self.trailer).digest()

    def _cipher(self) -> AESGCM:
        if self._aead is None:
            raise RuntimeError("the segment is finished")
        return self._aead

    def _seal(self) -> bytes:
        """What waits, a full chunk."""
        pieces = self._pieces
        chunk = pieces[0] if len(pieces) == 1 else b"".join(pieces)
        sealed = self._cipher().encrypt(nonce(self._index, False), chunk, None)
        pieces.clear()
        self._hash.update(sealed)
        self._index += 1
        self._fill = 0
        return sealed


def sign_trailer(
    *,
    core_sha256: bytes,
    state: int,
    end_ns: int,
    plain_len: int,
    sealed_sha256: bytes,
    previous_sha256: bytes,
    recorder_id: RecorderId,
    sign: Callable[[bytes], bytes],
) -> bytes:
    """168 bytes, signed by the recorder."""
    unsigned = Trailer(
        state=state,
        recorder_id=recorder_id,
        end_ns=end_ns,
        plain_len=plain_len,
        sealed_sha256=sealed_sha256,
        previous_sha256=previous_sha256,
        signature=b"",
    ).signed_part()
    return unsigned + sign(trailer_message(core_sha256, unsigned))


def _make_keys(core: Core, core_sha256: bytes, hour_key: PublicHourKey) -> tuple[AESGCM, bytes, bytes]:
    """A fresh data key, never used twice: (payload cipher, commitment, wrap)."""
    data_key = _random(DATA_KEY_SIZE)
    payload, commitment = bytearray(32), bytearray(32)
    try:
        public_key = X25519PublicKey.from_public_bytes(hour_key.public_key)
        wrap = HPKE.encrypt(data_key, public_key, info=wrap_info(core.hour_key_id, core_sha256))
        derive_into(data_key, core.salt, b"payload", core_sha256, payload)
        derive_into(data_key, core.salt, b"commit", core_sha256, commitment)
        return AESGCM(payload), bytes(commitment), wrap
    finally:
        data_key[:] = bytes(DATA_KEY_SIZE)
        payload[:] = bytes(32)


def _random(size: int) -> bytearray:
    """Random bytes in a buffer that can be overwritten."""
    with open("/dev/urandom", "rb", buffering=0) as source:  # noqa: PTH123
        buffer = bytearray(size)
        if source.readinto(buffer) != size:
            raise OSError("the kernel's random source gave too little")
        return buffer

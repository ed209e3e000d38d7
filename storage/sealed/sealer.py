"""Seals one segment while it is recorded: plaintext in; header, chunks and trailer out. No I/O, no clock.

Keys live in buffers that this module overwrites right after use; the cipher keeps its own copy until ``finish()``.
Python cannot guarantee that no other copy exists; a test searches the process's memory for one.
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
from storage.keys.hpke import HPKE
from storage.sealed.errors import SegmentFullError, WrongKeyError
from storage.sealed.format import (
    CHUNK_LOG2_MAX,
    CHUNK_LOG2_MIN,
    CHUNKS_MAX,
    DATA_KEY_SIZE,
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

_BOX_HEADER_SIZE: Final = 8  # the smallest `free` box: size u32 | "free" (ISO/IEC 14496-12, 8.1.2)
# A last chunk with its tag, followed by any part of the trailer, has to stay shorter than a full sealed chunk.
_LAST_CHUNK_MARGIN: Final = TRAILER_SIZE + TAG_SIZE
Plaintext = bytes | bytearray | memoryview


def chunk_log2_for(bits_per_second: float) -> int:
    """Return the chunk_log2 of the largest chunk that fills within an eighth of a second at this bit rate.

    Nothing may wait unsealed for more than a second, so a chunk that fills slowly is padded with a `free` box. A
    fragment lasts half a second at most, and one without a key frame is smaller than average: chunks four times as
    large get padded so often that padding takes several percent of the footage (test_padding.py measures it).
    """
    # The bit rate over 8 bits and 8 eighths of a second.
    eighth_bytes = max(1, int(bits_per_second / 64))
    return min(max(eighth_bytes.bit_length() - 1, CHUNK_LOG2_MIN), CHUNK_LOG2_MAX)


class Sealer:
    """Seals one segment once. Push whole MP4 boxes, the init first: ``pad()`` inserts `free` boxes between two pushes.

    Write ``header`` (210 bytes) first, append the chunks that ``push()`` and ``pad()`` return in order, and append
    what ``finish()`` returns last. Each sealer takes a new data key and salt: a second attempt at the same footage
    needs a new sealer and a new segment id (sealed-format.md: "A data key seals one segment, once").
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
        """WrongKeyError when ``hour_key`` belongs to another site or camera, or is not valid at ``start_ns``.

        The caller has verified the hour key's signature. ValueError: ``chunk_log2`` lies outside 14 to 18.
        """
        if not CHUNK_LOG2_MIN <= chunk_log2 <= CHUNK_LOG2_MAX:
            raise ValueError(f"chunk_log2 is {chunk_log2}")
        # Footage sealed to another camera's or hour's key would expire at the wrong time.
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
        # The trailer's hash covers the header too: a header that was exchanged as a whole is found by `tallenne
        # verify`.
        self._hash = hashlib.sha256(self.header)
        self._chunk_size = 1 << chunk_log2
        self._pieces: list[Plaintext] = []  # plaintext of the chunk that is not full yet
        self._fill = 0  # bytes in _pieces
        self._index = 0  # of the next chunk
        self._trailer = b""

    @property
    def plain_len(self) -> int:
        """Bytes of plaintext so far, `free` boxes included: the plaintext offset of the next push."""
        return self._index * self._chunk_size + self._fill

    @property
    def unsealed_size(self) -> int:
        """Bytes of plaintext that wait for their chunk to fill. A crash loses them."""
        return self._fill

    @property
    def room(self) -> int:
        """Bytes of plaintext that still fit. One chunk stays reserved: a complete object always has a last chunk."""
        return (CHUNKS_MAX - 1) * self._chunk_size - self.plain_len

    def push(self, *pieces: Plaintext) -> list[bytes]:
        """Append plaintext and return the chunks that it fills, possibly none. SegmentFullError: nothing was appended.

        The sealer keeps references to the rest: the caller never changes ``pieces`` afterwards. Each byte is copied
        once, into its chunk; a chunk that lies within one piece is sealed in place, without a copy.
        """
        # Before the first piece is taken, so that a caller can put all of them into a new segment.
        if sum(map(len, pieces)) > self.room:
            raise SegmentFullError("The segment exceeds 2^16 chunks.", "Start a new segment earlier.")
        chunk_size, kept = self._chunk_size, self._pieces
        sealed: list[bytes] = []
        for piece in pieces:
            size = len(piece)
            # The common case: a sample is shorter than a chunk.
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
        """Seal the waiting plaintext now: fill its chunk with an MP4 `free` box, which players skip.

        A box takes 8 bytes at least: when fewer remain in the chunk, the box extends through the next chunk.
        """
        if not self._fill:
            return []
        # The box's size counts its own head of 8 bytes (ISO/IEC 14496-12, 4.2).
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
        """Return the remaining chunks and the signed trailer in one piece. The sealer accepts nothing afterwards.

        ``sign``: Ed25519 by the recorder's key, 64 bytes. ``previous_trailer_sha256`` chains the camera's segments:
        `tallenne verify` finds a segment that was removed.
        """
        tail: list[bytes] = []
        # After a crash a torn file may end with the last chunk and a part of the trailer. Recovery cannot decrypt; it
        # recognizes a full chunk by its length alone. So the last chunk stays short enough for the two to differ.
        if self._fill > self._chunk_size - _LAST_CHUNK_MARGIN:
            tail = self.pad()
        # Also when it is empty: only the nonce that ends in 1 proves that the object ends here (sealed-format.md,
        # "Bytes").
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
        # The cipher holds the payload key. From here on nothing can be appended under it.
        self._aead = None
        self._pieces.clear()
        self._trailer = trailer
        return b"".join((*tail, last, trailer))

    @property
    def trailer(self) -> bytes:
        """The trailer's 168 bytes. RuntimeError before ``finish()``."""
        if not self._trailer:
            raise RuntimeError("the segment is not finished")
        return self._trailer

    @property
    def object_sha256(self) -> bytes:
        """SHA-256 of the whole object. RuntimeError before ``finish()``."""
        trailer = self.trailer
        whole = self._hash.copy()
        whole.update(trailer)
        return whole.digest()

    @property
    def trailer_sha256(self) -> bytes:
        """SHA-256 of the trailer, which the camera's next trailer carries. RuntimeError before ``finish()``."""
        return hashlib.sha256(self.trailer).digest()

    def _cipher(self) -> AESGCM:
        if self._aead is None:
            raise RuntimeError("the segment is finished")
        return self._aead

    def _seal(self) -> bytes:
        """Encrypt the waiting plaintext, which fills a chunk exactly."""
        pieces = self._pieces
        # A single piece is sealed from where it lies.
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
    """Build the 168 bytes of a trailer and sign them. ``sign``: Ed25519 (RFC 8032, 5.1.6), returns 64 bytes."""
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
    """Create a data key and return (payload cipher, commitment 32, wrap 80).

    Payload key and commitment both derive from the data key, so the commitment fixes the one key that opens the
    chunks. AES-GCM alone does not: an attacker who chooses two keys can build a ciphertext that opens under both.
    """
    data_key = _random(DATA_KEY_SIZE)
    payload, commitment = bytearray(32), bytearray(32)
    try:
        # The hour key's private half is the custodian's alone: once the two buffers below are overwritten, this process
        # cannot open what it seals (invariant 3).
        public_key = X25519PublicKey.from_public_bytes(hour_key.public_key)
        wrap = HPKE.encrypt(data_key, public_key, info=wrap_info(core.hour_key_id, core_sha256))
        derive_into(data_key, core.salt, b"payload", core_sha256, payload)
        derive_into(data_key, core.salt, b"commit", core_sha256, commitment)
        return AESGCM(payload), bytes(commitment), wrap
    finally:
        # AESGCM has copied the payload key; the wrap holds the data key for the custodian. Nothing here needs them.
        data_key[:] = bytes(DATA_KEY_SIZE)
        payload[:] = bytes(32)


def _random(size: int) -> bytearray:
    """Read random bytes into a mutable buffer. ``os.urandom`` returns immutable bytes, which cannot be overwritten."""
    with open("/dev/urandom", "rb", buffering=0) as source:  # noqa: PTH123
        buffer = bytearray(size)
        if source.readinto(buffer) != size:
            raise OSError("the kernel returned fewer random bytes than requested")
        return buffer

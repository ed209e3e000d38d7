"""The bytes of a sealed segment, version 1 (sealed-format.md, "Bytes"). Pure: no I/O, no clock, no randomness.

Integers are big-endian, UUIDs are 16 bytes in RFC 9562 order, labels are ASCII without a terminator::

    header 210   core 96 | commitment 32 | wrap length u16 = 80 | enc 32 | ct 48
      core         "TLNS" | version u8 | suite u8 | chunk_log2 u8 | flags u8 | site 16 | camera 16 | segment 16
                   hour key 16 | start_ns i64 | salt 16
    chunks       AES-256-GCM, empty associated data, 16-byte tag, numbered from 0
    trailer 168  "TLNE" | state u8 | 3 zero bytes | recorder 16 | end_ns i64 | plain_len u64
                 SHA-256 of header and chunks | SHA-256 of the camera's previous trailer | Ed25519 signature 64

Parsing validates every constant before the caller allocates memory or touches a key, and raises RefusedError alone.
"""

from __future__ import annotations

import hashlib
import struct
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from domain.ids import CameraId, HourKeyId, RecorderId, SegmentId, SiteId
from storage.sealed.errors import RefusedError

# 16 to 256 KiB (sealed-format.md, "Bytes"): a small chunk is sealed sooner, a large one has fewer tags a byte.
CHUNK_LOG2_MIN: Final = 14
CHUNK_LOG2_MAX: Final = 18
# At most 2^16 chunks of 2^18 bytes, 16 GiB an object. A chunk stays far below the 2^39 - 256 bits that GCM encrypts
# under one nonce (SP 800-38D, 5.2.1.1).
CHUNKS_MAX: Final = 1 << 16
TAG_SIZE: Final = 16
DATA_KEY_SIZE: Final = 32
SALT_SIZE: Final = 16
CORE_SIZE: Final = 96
# HPKE's enc is an X25519 public key of 32 bytes (RFC 9180, 7.1); ct is the 32-byte data key and a 16-byte tag (7.3).
WRAP_SIZE: Final = 80
HEADER_SIZE: Final = 210
TRAILER_SIZE: Final = 168
SIGNATURE_SIZE: Final = 64  # Ed25519 (RFC 8032, 5.1.6)
OVERHEAD: Final = HEADER_SIZE + TRAILER_SIZE
# Previous trailer of a camera's first segment: the chain has no link there.
ZERO_HASH: Final = bytes(32)

# Of the trailer: a complete object ends with a last chunk, a recovered one with its last full chunk.
STATE_COMPLETE: Final = 0
STATE_RECOVERED: Final = 1

# Two magics, so that a trailer is never read as a header or the other way round.
_MAGIC: Final = b"TLNS"
_TRAILER_MAGIC: Final = b"TLNE"
_VERSION: Final = 1
_SUITE: Final = 1  # storage/keys/hpke.py, HKDF-SHA256, AES-256-GCM, Ed25519
_CORE: Final = struct.Struct(">4sBBBB16s16s16s16sq16s")
_TRAILER_HEAD: Final = struct.Struct(">4sB3s16sqQ32s32s")
_WRAP_LENGTH: Final = struct.Struct(">H")


@dataclass(frozen=True, slots=True, kw_only=True)
class Core:
    """The clear fields of a header: which segment this is and which hour key wraps its data key."""

    chunk_log2: int  # 14 to 18; a full chunk holds 2**chunk_log2 bytes of plaintext
    site_id: SiteId
    camera_id: CameraId
    segment_id: SegmentId
    hour_key_id: HourKeyId
    start_ns: int
    salt: bytes  # 16 random bytes

    def pack(self) -> bytes:
        """Return the core as 96 bytes.

        Every key derivation and the trailer's signature include the SHA-256 of these bytes. That binds all keys of a
        segment to its identity: no field can change without making the wrap, the commitment and the signature invalid.
        """
        return _CORE.pack(
            _MAGIC,
            _VERSION,
            _SUITE,
            self.chunk_log2,
            0,  # flags
            self.site_id.bytes,
            self.camera_id.bytes,
            self.segment_id.bytes,
            self.hour_key_id.bytes,
            self.start_ns,
            self.salt,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Header:
    """A parsed header. Its constants are valid; nothing in it is authenticated yet."""

    core: Core
    core_sha256: bytes
    commitment: bytes
    wrap: bytes  # enc 32 | ct 48


def parse_header(data: bytes | memoryview) -> Header:
    """Parse the first 210 bytes of an object. RefusedError when the length or any constant differs from version 1."""
    if len(data) != HEADER_SIZE:
        raise RefusedError
    # Constants first: no field is used, and nothing allocated by its value, before all of them hold.
    magic, version, suite, chunk_log2, flags, site, camera, segment, hour_key, start_ns, salt = _CORE.unpack_from(data)
    # The wrap's length stands behind the commitment. Suite 1 knows one length; a later suite may have another.
    (wrap_length,) = _WRAP_LENGTH.unpack_from(data, CORE_SIZE + 32)
    if (magic, version, suite, flags, wrap_length) != (_MAGIC, _VERSION, _SUITE, 0, WRAP_SIZE):
        raise RefusedError
    # Without this bound a forged header could ask a reader for a chunk of 2**255 bytes.
    if not CHUNK_LOG2_MIN <= chunk_log2 <= CHUNK_LOG2_MAX:
        raise RefusedError
    core = Core(
        chunk_log2=chunk_log2,
        site_id=SiteId(UUID(bytes=site)),
        camera_id=CameraId(UUID(bytes=camera)),
        segment_id=SegmentId(UUID(bytes=segment)),
        hour_key_id=HourKeyId(UUID(bytes=hour_key)),
        start_ns=start_ns,
        salt=salt,
    )
    return Header(
        core=core,
        # Over the bytes as they came, not as they parse: they are what the recorder signed and derived from.
        core_sha256=hashlib.sha256(data[:CORE_SIZE]).digest(),
        commitment=bytes(data[CORE_SIZE : CORE_SIZE + 32]),
        wrap=bytes(data[HEADER_SIZE - WRAP_SIZE :]),
    )


def pack_header(core: bytes, commitment: bytes, wrap: bytes) -> bytes:
    """Return the 210 bytes of a header from a packed core (96), a commitment (32) and a wrap (80)."""
    return core + commitment + _WRAP_LENGTH.pack(WRAP_SIZE) + wrap


@dataclass(frozen=True, slots=True, kw_only=True)
class Trailer:
    """A parsed trailer. ``signature`` covers the SHA-256 of the core and the 104 bytes before the signature."""

    state: int  # STATE_COMPLETE or STATE_RECOVERED
    recorder_id: RecorderId
    end_ns: int
    plain_len: int  # bytes of plaintext
    sealed_sha256: bytes  # of header and chunks
    previous_sha256: bytes  # of the camera's previous trailer; 32 zero bytes for the first
    signature: bytes

    def signed_part(self) -> bytes:
        """Return the 104 bytes of the trailer that precede the signature."""
        return _TRAILER_HEAD.pack(
            _TRAILER_MAGIC,
            self.state,
            bytes(3),
            self.recorder_id.bytes,
            self.end_ns,
            self.plain_len,
            self.sealed_sha256,
            self.previous_sha256,
        )


def parse_trailer(data: bytes | memoryview) -> Trailer:
    """Parse the last 168 bytes of an object; the caller verifies the signature.

    RefusedError when the length or any constant differs from version 1.
    """
    if len(data) != TRAILER_SIZE:
        raise RefusedError
    magic, state, zeros, recorder, end_ns, plain_len, sealed_sha256, previous = _TRAILER_HEAD.unpack_from(data)
    # Reserved bytes must be zero, or two trailers of equal meaning could differ in their hash and break the chain.
    if magic != _TRAILER_MAGIC or zeros != bytes(3) or state not in (STATE_COMPLETE, STATE_RECOVERED):
        raise RefusedError
    return Trailer(
        state=state,
        recorder_id=RecorderId(UUID(bytes=recorder)),
        end_ns=end_ns,
        plain_len=plain_len,
        sealed_sha256=sealed_sha256,
        previous_sha256=previous,
        signature=bytes(data[TRAILER_SIZE - SIGNATURE_SIZE :]),
    )


def trailer_message(core_sha256: bytes, signed_part: bytes) -> bytes:
    """Return the message that the recorder signs with Ed25519.

    The label separates this use of the recorder's key from any other. The core's hash ties the trailer to one
    segment, so that a trailer stays valid outside its object, for example in the catalogue's row.
    """
    return b"tallenne/1 trailer" + core_sha256 + signed_part


def wrap_info(hour_key_id: HourKeyId, core_sha256: bytes) -> bytes:
    """Return the ``info`` of the HPKE wrap (RFC 9180, 5.1).

    HPKE mixes ``info`` into its key schedule: a wrap copied to another segment, or offered under another hour key,
    does not open.
    """
    return b"tallenne/1 wrap" + hour_key_id.bytes + core_sha256


def hold_info(hold_id: UUID, core_sha256: bytes) -> bytes:
    """Return the ``info`` of a wrap to a hold's key. Its own label: no wrap serves for both kinds of key."""
    return b"tallenne/1 hold" + hold_id.bytes + core_sha256


def derive_into(data_key: bytes | bytearray, salt: bytes, label: bytes, core_sha256: bytes, out: bytearray) -> None:
    """Derive 32 bytes from the data key with HKDF-SHA256 (RFC 5869) into ``out``.

    ``label`` is ``b"payload"`` for the cipher's key or ``b"commit"`` for the commitment. Two labels give two
    independent outputs (RFC 5869, 3.2): publishing the commitment reveals nothing about the payload key.
    ``out`` is the caller's buffer, so that the caller can overwrite it.
    """
    # HKDF's info binds the key to its use and to this segment (RFC 5869, 3.2); the salt makes it unique even if a data
    # key were ever drawn twice.
    info = b"tallenne/1 " + label + core_sha256
    HKDF(algorithm=hashes.SHA256(), length=32, salt=salt, info=info).derive_into(data_key, out)


_NONCE_TAILS: Final = (b"\x00", b"\x01")


def nonce(index: int, last: bool) -> bytes:
    """Return the 12-byte GCM nonce of chunk ``index``: the index as 11 bytes, then 1 for the last chunk, else 0.

    GCM loses all security when a key encrypts twice under one nonce (SP 800-38D, 8). A counter never repeats
    (8.2.1, the deterministic construction), and the payload key belongs to one attempt at one segment. The final
    byte makes truncation detectable: a full chunk never decrypts as the last one (the STREAM construction, as in age).
    """
    # 12 bytes: only this length is used as it is, any other is hashed into the counter (SP 800-38D, 7.1).
    return index.to_bytes(11, "big") + _NONCE_TAILS[last]


@dataclass(frozen=True, slots=True, kw_only=True)
class ChunkLayout:
    """Positions of an object's chunks, computed from its size alone (sealed-format.md, "Length arithmetic")."""

    chunk_size: int  # plaintext bytes of a full chunk
    full_chunks: int
    last_size: int  # sealed bytes of the last chunk; 0: the object has none, so it is a recovered one
    plain_len: int

    @property
    def trailer_at(self) -> int:
        """Offset of the trailer in the object."""
        return HEADER_SIZE + self.full_chunks * self.sealed_chunk_size + self.last_size

    @property
    def tail_range(self) -> tuple[int, int]:
        """Sealed range [start, end) of the last chunk, if there is one, and the trailer."""
        return self.trailer_at - self.last_size, self.trailer_at + TRAILER_SIZE

    @property
    def sealed_chunk_size(self) -> int:
        """Sealed bytes of a full chunk: ciphertext and tag."""
        return self.chunk_size + TAG_SIZE

    def clamp(self, start: int, end: int) -> tuple[int, int]:
        """Return the existing part of plaintext [start, end), or (0, 0) when there is none. ValueError: negative."""
        if start < 0:
            raise ValueError(f"range starts at {start}")
        end = min(end, self.plain_len)
        return (start, end) if start < end else (0, 0)

    def in_last(self, end: int) -> bool:
        """Whether a range up to ``end`` needs the last chunk: its plaintext, or its word that this is the end.

        A last chunk that holds no byte still has to open before the end is claimed: without it a cut object would read
        as a whole one.
        """
        return self.last_size > 0 and (end >= self.plain_len or end > self.full_chunks * self.chunk_size)

    def sealed_range(self, start: int, end: int, *, last: bool = False) -> tuple[int, int]:
        """Return the sealed range of the full chunks that hold plaintext [start, end).

        The range is empty when the last chunk alone holds it. ``last``: include the last chunk.
        """
        # Offsets come from HTTP ranges and indexes; beyond the end there is nothing to fetch.
        start, end = self.clamp(start, end)
        first = start // self.chunk_size
        if last and self.in_last(end):
            return HEADER_SIZE + first * self.sealed_chunk_size, self.trailer_at
        # Rounded up: the chunk that holds byte end - 1 has to be opened as a whole, since its tag covers all of it.
        stop = min(-(-end // self.chunk_size), self.full_chunks)
        if first >= stop:
            return HEADER_SIZE, HEADER_SIZE
        return HEADER_SIZE + first * self.sealed_chunk_size, HEADER_SIZE + stop * self.sealed_chunk_size


def layout_of(size: int, chunk_log2: int) -> ChunkLayout:
    """Compute where the chunks of an object of ``size`` bytes lie. RefusedError for a size that no object can have."""
    chunk_size = 1 << chunk_log2
    # Header and trailer have fixed sizes, so size and chunk size alone tell where every chunk lies.
    body = size - OVERHEAD
    if body < 0:
        raise RefusedError
    full_chunks, last_size = divmod(body, chunk_size + TAG_SIZE)
    # A last chunk holds at least its tag: a remainder of 1 to 15 bytes is a truncated object.
    if 0 < last_size < TAG_SIZE or full_chunks + bool(last_size) > CHUNKS_MAX:
        raise RefusedError
    return ChunkLayout(
        chunk_size=chunk_size,
        full_chunks=full_chunks,
        last_size=last_size,
        plain_len=full_chunks * chunk_size + max(0, last_size - TAG_SIZE),
    )

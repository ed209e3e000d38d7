"""The bytes of a sealed segment, version 1 (design page "Sealed segment"). Pure: no I/O, no clock, no randomness.

Integers are big-endian, UUIDs 16 bytes in RFC 9562 order, labels ASCII without terminator::

    header 210 = core 96 | commitment 32 | wrap length u16 = 80 | enc 32 | ct 48
    chunks       AES-256-GCM, empty associated data, 16-byte tag
    trailer 168
"""

from __future__ import annotations

import hashlib
import struct
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.hpke import AEAD, KDF, KEM, Suite
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from domain.ids import CameraId, HourKeyId, RecorderId, SegmentId, SiteId
from storage.sealed.errors import RefusedError

CHUNK_LOG2_MIN: Final = 14
CHUNK_LOG2_MAX: Final = 18
CHUNKS_MAX: Final = 1 << 16
TAG_SIZE: Final = 16
DATA_KEY_SIZE: Final = 32
SALT_SIZE: Final = 16
CORE_SIZE: Final = 96
WRAP_SIZE: Final = 80
HEADER_SIZE: Final = 210
TRAILER_SIZE: Final = 168
SIGNATURE_SIZE: Final = 64
OVERHEAD: Final = HEADER_SIZE + TRAILER_SIZE
ZERO_HASH: Final = bytes(32)

STATE_COMPLETE: Final = 0
STATE_RECOVERED: Final = 1

HPKE: Final = Suite(KEM.X25519, KDF.HKDF_SHA256, AEAD.AES_256_GCM)  # RFC 9180: 0x0020, 0x0001, 0x0002

_MAGIC: Final = b"TLNS"
_TRAILER_MAGIC: Final = b"TLNE"
_VERSION: Final = 1
_SUITE: Final = 1
_CORE: Final = struct.Struct(">4sBBBB16s16s16s16sq16s")
_TRAILER_HEAD: Final = struct.Struct(">4sB3s16sqQ32s32s")
_WRAP_LENGTH: Final = struct.Struct(">H")


@dataclass(frozen=True, slots=True, kw_only=True)
class Core:
    """What a header says of its segment, in clear."""

    chunk_log2: int
    site_id: SiteId
    camera_id: CameraId
    segment_id: SegmentId
    hour_key_id: HourKeyId
    start_ns: int
    salt: bytes

    def pack(self) -> bytes:
        """The 96 bytes that every derivation and the signature are bound to, by their SHA-256."""
        return _CORE.pack(
            _MAGIC,
            _VERSION,
            _SUITE,
            self.chunk_log2,
            0,
            self.site_id.bytes,
            self.camera_id.bytes,
            self.segment_id.bytes,
            self.hour_key_id.bytes,
            self.start_ns,
            self.salt,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Header:
    """A parsed header. Nothing of it is authenticated yet, except that its constants have their stated values."""

    core: Core
    core_sha256: bytes
    commitment: bytes
    wrap: bytes


def parse_header(data: bytes | memoryview) -> Header:
    """The first 210 bytes of an object. RefusedError when any field lies outside its stated values."""
    if len(data) != HEADER_SIZE:
        raise RefusedError
    magic, version, suite, chunk_log2, flags, site, camera, segment, hour_key, start_ns, salt = _CORE.unpack_from(data)
    (wrap_length,) = _WRAP_LENGTH.unpack_from(data, CORE_SIZE + 32)
    if (magic, version, suite, flags, wrap_length) != (_MAGIC, _VERSION, _SUITE, 0, WRAP_SIZE):
        raise RefusedError
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
        core_sha256=hashlib.sha256(data[:CORE_SIZE]).digest(),
        commitment=bytes(data[CORE_SIZE : CORE_SIZE + 32]),
        wrap=bytes(data[HEADER_SIZE - WRAP_SIZE :]),
    )


def pack_header(core: bytes, commitment: bytes, wrap: bytes) -> bytes:
    """210 bytes."""
    return core + commitment + _WRAP_LENGTH.pack(WRAP_SIZE) + wrap


@dataclass(frozen=True, slots=True, kw_only=True)
class Trailer:
    """A parsed trailer. ``signature`` covers the core's hash and the 104 bytes before it."""

    state: int
    recorder_id: RecorderId
    end_ns: int
    plain_len: int
    sealed_sha256: bytes  # of header and chunks
    previous_sha256: bytes  # of the camera's previous trailer; zeros for the first
    signature: bytes

    def signed_part(self) -> bytes:
        """The trailer's bytes before the signature."""
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
    """The last 168 bytes of an object. RefusedError when any field lies outside its stated values."""
    if len(data) != TRAILER_SIZE:
        raise RefusedError
    magic, state, zeros, recorder, end_ns, plain_len, sealed_sha256, previous = _TRAILER_HEAD.unpack_from(data)
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
    """What the recorder signs."""
    return b"tallenne/1 trailer" + core_sha256 + signed_part


def wrap_info(hour_key_id: HourKeyId, core_sha256: bytes) -> bytes:
    """HPKE's info: a wrap opens for one hour key and one core only."""
    return b"tallenne/1 wrap" + hour_key_id.bytes + core_sha256


def derive_into(data_key: bytes | bytearray, salt: bytes, label: bytes, core_sha256: bytes, out: bytearray) -> None:
    """HKDF-SHA256 over the data key into ``out`` (32 bytes). ``label`` is b"payload" or b"commit"."""
    info = b"tallenne/1 " + label + core_sha256
    HKDF(algorithm=hashes.SHA256(), length=32, salt=salt, info=info).derive_into(data_key, out)


_NONCE_TAILS: Final = (b"\x00", b"\x01")


def nonce(index: int, last: bool) -> bytes:
    """12 bytes: the chunk's number as 11 bytes, then 1 for the last chunk, else 0."""
    return index.to_bytes(11, "big") + _NONCE_TAILS[last]


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """Where the chunks of an object lie, from its size alone."""

    chunk_size: int  # of plaintext
    full_chunks: int
    last_size: int  # of the sealed last chunk; 0: there is none, the object can only be a recovered one
    plain_len: int

    @property
    def trailer_at(self) -> int:
        return HEADER_SIZE + self.full_chunks * (self.chunk_size + TAG_SIZE) + self.last_size

    @property
    def tail_range(self) -> tuple[int, int]:
        """Sealed range of the last chunk, if any, and the trailer."""
        return self.trailer_at - self.last_size, self.trailer_at + TRAILER_SIZE

    @property
    def step(self) -> int:
        """Sealed bytes of a full chunk."""
        return self.chunk_size + TAG_SIZE

    def clamp(self, start: int, end: int) -> tuple[int, int]:
        """The part of plaintext [start, end) that exists; (0, 0) when there is none."""
        if start < 0:
            raise ValueError(f"range starts at {start}")
        end = min(end, self.plain_len)
        return (start, end) if start < end else (0, 0)

    def in_last(self, end: int) -> bool:
        """Whether plaintext up to ``end`` takes the last chunk."""
        return min(end, self.plain_len) > self.full_chunks * self.chunk_size

    def sealed_range(self, start: int, end: int, *, last: bool = False) -> tuple[int, int]:
        """Sealed range of the full chunks that hold plaintext [start, end); empty when only the last chunk does.

        ``last``: of the last chunk, too.
        """
        start, end = self.clamp(start, end)
        first = start // self.chunk_size
        if last and self.in_last(end):
            return HEADER_SIZE + first * self.step, self.trailer_at
        stop = min(-(-end // self.chunk_size), self.full_chunks)
        if first >= stop:
            return HEADER_SIZE, HEADER_SIZE
        return HEADER_SIZE + first * self.step, HEADER_SIZE + stop * self.step


def layout_of(size: int, chunk_log2: int) -> Layout:
    """Length arithmetic. RefusedError for a size that no object has."""
    chunk_size = 1 << chunk_log2
    body = size - OVERHEAD
    if body < 0:
        raise RefusedError
    full_chunks, last_size = divmod(body, chunk_size + TAG_SIZE)
    if 0 < last_size < TAG_SIZE or full_chunks + bool(last_size) > CHUNKS_MAX:
        raise RefusedError
    return Layout(
        chunk_size=chunk_size,
        full_chunks=full_chunks,
        last_size=last_size,
        plain_len=full_chunks * chunk_size + max(0, last_size - TAG_SIZE),
    )

"""Keys and segments for benchmarks and probes: real ones, made on the spot, of no camera."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from domain.ids import CameraId, HourKeyId, RecorderId, SegmentId, SiteId, new_id
from domain.time import HOUR_NS
from storage.keys.hour_key import PublicHourKey
from storage.sealed import PayloadKey, Sealer, chunk_log2_for
from storage.sealed.format import parse_header
from storage.sealed.unwrap import open_header

START_NS = 500_000 * HOUR_NS
CHUNK_LOG2 = chunk_log2_for(4_000_000)  # what ingest takes for 4 Mbit/s: 32 KiB
SEGMENT_BYTES = 5_000_000
FRAGMENT_BYTES = 250_000
"""What half a second of 4 Mbit/s video is: the piece that ingest hands over at a time."""


@dataclass(frozen=True, slots=True)
class Keys:
    """One camera's hour, and the recorder that signs."""

    site: SiteId
    camera: CameraId
    recorder: RecorderId
    hour_private: X25519PrivateKey
    hour_key: PublicHourKey
    signer: Ed25519PrivateKey


def make_keys() -> Keys:
    """Fresh random keys."""
    site, camera = SiteId(new_id()), CameraId(new_id())
    private = X25519PrivateKey.generate()
    hour_key = PublicHourKey(
        hour_key_id=HourKeyId(new_id()),
        site_id=site,
        camera_id=camera,
        hour_ns=START_NS,
        public_key=private.public_key().public_bytes_raw(),
        serial=1,
    )
    return Keys(site, camera, RecorderId(new_id()), private, hour_key, Ed25519PrivateKey.generate())


def fragments(size: int = SEGMENT_BYTES) -> list[bytes]:
    """Random plaintext in the pieces that ingest hands over."""
    return [os.urandom(min(FRAGMENT_BYTES, size - at)) for at in range(0, size, FRAGMENT_BYTES)]


def seal(keys: Keys, pieces: list[bytes]) -> list[bytes]:
    """One whole segment as ingest seals it: header and wrap, chunks, trailer with hash and signature."""
    return [chunk for chunks in stream(keys, pieces) for chunk in chunks]


def stream(keys: Keys, pieces: list[bytes]) -> Iterator[list[bytes]]:
    """The same as it is written: what has been taken is not held any longer, so that its memory serves again."""
    sealer = Sealer(
        site_id=keys.site,
        camera_id=keys.camera,
        segment_id=SegmentId(new_id()),
        hour_key=keys.hour_key,
        start_ns=START_NS,
        chunk_log2=CHUNK_LOG2,
    )
    yield [sealer.header]
    for piece in pieces:
        yield sealer.push(piece)
    tail = sealer.finish(
        end_ns=START_NS + 10**10,
        previous_trailer_sha256=bytes(32),
        recorder_id=keys.recorder,
        sign=keys.signer.sign,
    )
    yield [tail]


def payload_key(keys: Keys, sealed: bytes) -> PayloadKey:
    """What the custodian would answer for this object."""
    recorders = {keys.recorder: keys.signer.public_key().public_bytes_raw()}
    return open_header(parse_header(sealed[:210]), keys.hour_private, recorders)

"""Making and opening sealed segments in memory, for the tests of the format and of what stands on it."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from domain.ids import CameraId, HourKeyId, RecorderId, SegmentId, SiteId
from domain.time import HOUR_NS
from storage.keys.hour_key import PublicHourKey
from storage.sealed import HEADER_SIZE, PayloadKey, RangeOpener, Sealer
from storage.sealed.format import TRAILER_SIZE, ZERO_HASH, parse_header, parse_trailer
from storage.sealed.unwrap import open_header

START_NS = 1_790_000_000 * 1_000_000_000 // HOUR_NS * HOUR_NS + 5_000_000_000
END_NS = START_NS + 10_000_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """One camera's hour key, one recorder."""

    site_id: SiteId
    camera_id: CameraId
    hour_private: X25519PrivateKey
    hour_key: PublicHourKey
    recorder_id: RecorderId
    recorder_private: Ed25519PrivateKey

    @property
    def recorders(self) -> Mapping[RecorderId, bytes]:
        return {self.recorder_id: self.recorder_private.public_key().public_bytes_raw()}


def new_world(hour_ns: int = START_NS // HOUR_NS * HOUR_NS) -> World:
    hour_private = X25519PrivateKey.generate()
    site_id, camera_id = SiteId(uuid.uuid4()), CameraId(uuid.uuid4())
    return World(
        site_id=site_id,
        camera_id=camera_id,
        hour_private=hour_private,
        hour_key=PublicHourKey(
            hour_key_id=HourKeyId(uuid.uuid4()),
            site_id=site_id,
            camera_id=camera_id,
            hour_ns=hour_ns,
            public_key=hour_private.public_key().public_bytes_raw(),
            serial=1,
        ),
        recorder_id=RecorderId(uuid.uuid4()),
        recorder_private=Ed25519PrivateKey.generate(),
    )


def new_sealer(world: World, *, chunk_log2: int = 14, start_ns: int = START_NS) -> Sealer:
    return Sealer(
        site_id=world.site_id,
        camera_id=world.camera_id,
        segment_id=SegmentId(uuid.uuid4()),
        hour_key=world.hour_key,
        start_ns=start_ns,
        chunk_log2=chunk_log2,
    )


def finish(world: World, sealer: Sealer, *, end_ns: int = END_NS, previous: bytes = ZERO_HASH) -> bytes:
    return sealer.finish(
        end_ns=end_ns,
        previous_trailer_sha256=previous,
        recorder_id=world.recorder_id,
        sign=world.recorder_private.sign,
    )


def seal(world: World, plain: bytes, *, chunk_log2: int = 14, start_ns: int = START_NS, end_ns: int = END_NS) -> bytes:
    """A whole object."""
    sealer = new_sealer(world, chunk_log2=chunk_log2, start_ns=start_ns)
    return b"".join((sealer.header, *sealer.push(plain), finish(world, sealer, end_ns=end_ns)))


def payload_key_of(data: bytes, hour_private: X25519PrivateKey, recorders: Mapping[RecorderId, bytes]) -> PayloadKey:
    return open_header(parse_header(data[:HEADER_SIZE]), hour_private, recorders)


def open_ranges(data: bytes, key: PayloadKey, ranges: list[tuple[int, int]]) -> list[bytes]:
    """Each range of an object whose catalogue row says ``len(data)``."""
    opener = RangeOpener(key, len(data))
    opener.accept_tail(data[slice(*opener.tail_range)])
    return [bytes(opener.open(a, b, data[slice(*opener.sealed_range(a, b))])) for a, b in ranges]


def open_object(data: bytes, hour_private: X25519PrivateKey, recorders: Mapping[RecorderId, bytes]) -> bytes:
    """The whole plaintext, as the custodian and the reader together would give it."""
    key = payload_key_of(data, hour_private, recorders)
    return open_ranges(data, key, [(0, 1 << 60)])[0]


def open_by_row(data: bytes, hour_private: X25519PrivateKey, recorders: Mapping[RecorderId, bytes]) -> bytes:
    """The same, where the catalogue's row holds the object's trailer."""
    opener = RangeOpener(payload_key_of(data, hour_private, recorders), len(data), last_inline=True)
    opener.accept_trailer(data[-TRAILER_SIZE:])
    return bytes(opener.open(0, 1 << 60, data[slice(*opener.sealed_range(0, 1 << 60))]))


@dataclass(frozen=True, slots=True, kw_only=True)
class VectorSet:
    """A folder of vectors with its ``vectors.json``."""

    hour_private: X25519PrivateKey
    recorder_public: bytes
    vectors: list[dict[str, Any]]
    read: Callable[[str], bytes]

    @property
    def recorders(self) -> Mapping[RecorderId, bytes]:
        """The recorders that the opening vectors name, all under the one enrolled key."""
        names = [v["file"] for v in self.vectors if v["expect"] == "opens"]
        return {parse_trailer(self.read(name)[-TRAILER_SIZE:]).recorder_id: self.recorder_public for name in names}


def load_vectors(folder: Path) -> VectorSet:
    listing = json.loads((folder / "vectors.json").read_text())
    return VectorSet(
        hour_private=X25519PrivateKey.from_private_bytes(bytes.fromhex(listing["hour_private_key"])),
        recorder_public=bytes.fromhex(listing["recorder_public_key"]),
        vectors=listing["vectors"],
        read=lambda name: (folder / name).read_bytes(),
    )

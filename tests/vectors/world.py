"""Who the vectors are of, and who makes them: ours and the second implementation, over the same keys and ids."""

from __future__ import annotations

import io
import os
import uuid
from dataclasses import dataclass, field
from typing import Any, Protocol

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from domain.ids import CameraId, HourKeyId, RecorderId, SegmentId, SiteId
from domain.time import HOUR_NS
from storage.keys.hour_key import PublicHourKey
from storage.sealed import Sealer, plan_recovery
from tests.vectors import second

START_NS = 1_790_000_000 * 1_000_000_000 // HOUR_NS * HOUR_NS + 5_000_000_000
END_NS = START_NS + 10_000_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """A raw key pair."""

    private: bytes = field(repr=False)
    public: bytes


def x25519_pair() -> Pair:
    key = X25519PrivateKey.generate()
    return Pair(private=key.private_bytes_raw(), public=key.public_key().public_bytes_raw())


def ed25519_pair() -> Pair:
    key = Ed25519PrivateKey.generate()
    return Pair(private=key.private_bytes_raw(), public=key.public_key().public_bytes_raw())


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """One camera's hour, two enrolled recorders."""

    site: bytes = field(default_factory=lambda: uuid.uuid4().bytes)
    camera: bytes = field(default_factory=lambda: uuid.uuid4().bytes)
    hour_key: bytes = field(default_factory=lambda: uuid.uuid4().bytes)
    recorder: bytes = field(default_factory=lambda: uuid.uuid4().bytes)
    colleague: bytes = field(default_factory=lambda: uuid.uuid4().bytes)  # enrolled as well
    hour: Pair = field(default_factory=x25519_pair)
    signer: Pair = field(default_factory=ed25519_pair)
    colleague_signer: Pair = field(default_factory=ed25519_pair)

    @property
    def recorders(self) -> dict[bytes, bytes]:
        return {self.recorder: self.signer.public, self.colleague: self.colleague_signer.public}


class Maker(Protocol):
    """Makes objects and signs trailers."""

    name: str

    def seal(self, plain: bytes, **changed: Any) -> tuple[bytes, bytes]:
        """(object, its plaintext, which may be longer by a `free` box). ``changed``: hour, signer, recorder,
        chunk_log2, recovered, previous."""

    def sign(self, private: bytes, bound: bytes, head: bytes) -> bytes:
        """A trailer's signature."""


class Second:
    """The second implementation."""

    name = "second"

    def __init__(self, world: World) -> None:
        self._world = world

    def seal(self, plain: bytes, *, recovered: bool = False, **changed: Any) -> tuple[bytes, bytes]:
        world = self._world
        sealed = second.seal(
            plain,
            site=world.site,
            camera=world.camera,
            segment=uuid.uuid4().bytes,
            hour_key=world.hour_key,
            hour_public=changed.get("hour", world.hour).public,
            start_ns=START_NS,
            end_ns=END_NS,
            recorder=changed.get("recorder", world.recorder),
            recorder_private=changed.get("signer", world.signer).private,
            chunk_log2=changed.get("chunk_log2", 14),
            state=second.RECOVERED if recovered else second.COMPLETE,
            previous=changed.get("previous", bytes(32)),
        )
        return sealed, plain

    def sign(self, private: bytes, bound: bytes, head: bytes) -> bytes:
        return second.sign(private, bound, head)


class Ours:
    """storage.sealed, as recording uses it."""

    name = "tallenne"

    def __init__(self, world: World) -> None:
        self._world = world

    def seal(self, plain: bytes, *, recovered: bool = False, **changed: Any) -> tuple[bytes, bytes]:
        world, size = self._world, 1 << changed.get("chunk_log2", 14)
        site, camera = SiteId(uuid.UUID(bytes=world.site)), CameraId(uuid.UUID(bytes=world.camera))
        hour_key = PublicHourKey(
            hour_key_id=HourKeyId(uuid.UUID(bytes=world.hour_key)),
            site_id=site,
            camera_id=camera,
            hour_ns=START_NS // HOUR_NS * HOUR_NS,
            public_key=changed.get("hour", world.hour).public,
            serial=1,
        )
        sealer = Sealer(
            site_id=site,
            camera_id=camera,
            segment_id=SegmentId(uuid.uuid4()),
            hour_key=hour_key,
            start_ns=START_NS,
            chunk_log2=size.bit_length() - 1,
        )
        signing = Ed25519PrivateKey.from_private_bytes(changed.get("signer", world.signer).private)
        end: dict[str, Any] = {
            "end_ns": END_NS,
            "previous_trailer_sha256": changed.get("previous", bytes(32)),
            "recorder_id": RecorderId(uuid.UUID(bytes=changed.get("recorder", world.recorder))),
            "sign": signing.sign,
        }
        body = b"".join((sealer.header, *sealer.push(plain)))
        if recovered:
            torn = body + os.urandom(100)
            return body + plan_recovery(io.BytesIO(torn), len(torn), **end).trailer, plain
        tail = sealer.finish(**end)
        return body + tail, plain + _free_box(sealer.plain_len - len(plain))

    def sign(self, private: bytes, bound: bytes, head: bytes) -> bytes:
        return Ed25519PrivateKey.from_private_bytes(private).sign(b"tallenne/1 trailer" + bound + head)


def _free_box(size: int) -> bytes:
    return size.to_bytes(4, "big") + b"free" + bytes(size - 8) if size else b""

"""The hour keys that a recorder knows: read from the catalogue, cached on disk, used only when signed.

The cache verifies a signature when a key is first needed, not when it arrives: a recorder receives keys for two weeks
and uses each of them for an hour.

The file, big-endian: ``"TLHK1\\n"`` | records of 161 bytes | SHA-256 of everything before it. The hash detects a
torn write; the signatures, which are verified again after a restart, detect a forgery.
"""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol
from uuid import UUID

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from domain.ids import CameraId, HourKeyId, SiteId
from domain.time import HOUR_NS, hour_of, to_iso
from runtime.private_files import read_private, write_private
from storage.keys.errors import ForgedStatementError, NoHourKeyError
from storage.keys.hour_key import PublicHourKey

_MAGIC: Final = b"TLHK1\n"
_Identity = tuple[HourKeyId, int, SiteId, bytes, bytes]
_RECORD: Final = struct.Struct(">16s16s16sqQ32s64s?")


class PublishedKey(Protocol):
    """A published hour key, as the catalogue returns it. Its signature is not verified yet."""

    @property
    def hour_key_id(self) -> HourKeyId:
        """Id of the key pair."""
        ...

    @property
    def serial(self) -> int:
        """Counts up with every key; the highest of an hour counts."""
        ...

    @property
    def site_id(self) -> SiteId:
        """Site of the camera."""
        ...

    @property
    def camera_id(self) -> CameraId:
        """Camera whose footage is sealed to the key."""
        ...

    @property
    def hour_ns(self) -> int:
        """Start of its UTC hour: footage that begins in this hour may be sealed to it."""
        ...

    @property
    def public_key(self) -> bytes:
        """X25519, 32 bytes."""
        ...

    @property
    def state(self) -> str:
        """ "active" while recorders may use it."""
        ...

    @property
    def signature(self) -> bytes:
        """Ed25519 by the custodian over ``PublicHourKey.statement()``, 64 bytes."""
        ...


@dataclass(slots=True)
class _CachedKey:
    key: PublicHourKey
    active: bool
    verified: bool = False


class HourKeyCache:
    """Holds every key that was offered for a camera and hour; of the signed ones, the highest serial counts.

    The recorder uses that key only while the custodian publishes it as active. It never falls back to a lower serial:
    the custodian replaced that key, and footage sealed with it might outlive its retention. A row that differs from a
    known key in anything but its state is another key, whatever id or serial it gives: it neither replaces the known
    one nor changes its state, and only a signature makes it count.

    ``refused`` counts offered keys that the pinned custodian did not sign: any is an alarm. ``damaged``: the file's
    hash was wrong, and the cache started empty.
    """

    def __init__(self, pinned_signer: bytes, path: Path | None = None) -> None:
        """``pinned_signer``: the custodian's Ed25519 public key, 32 bytes. ``path``: read now, written by ``save()``.

        PrivateFileError: the file belongs to another user, or others can read it.
        """
        self._signer = Ed25519PublicKey.from_public_bytes(pinned_signer)
        self._path = path
        self._known: dict[tuple[CameraId, int], dict[_Identity, _CachedKey]] = {}
        self._usable: dict[CameraId, tuple[int, int]] = {}  # [hour, hour): each with a usable key, as looked at last
        self._changed = False
        self.refused = 0
        self.damaged = False
        if path is not None:
            self._load(path)

    def offer(self, published: Iterable[PublishedKey]) -> None:
        """Add keys, and update the states of known ones."""
        for row in published:
            active = row.state == "active"
            # By camera and hour, not by id: an attacker who can write rows may publish a second key for an hour, and
            # both must be compared.
            entries = self._known.setdefault((row.camera_id, row.hour_ns), {})
            entry = entries.get(_identity(row))
            if entry is None:
                entries[_identity(row)] = _CachedKey(
                    PublicHourKey(
                        hour_key_id=row.hour_key_id,
                        site_id=row.site_id,
                        camera_id=row.camera_id,
                        hour_ns=row.hour_ns,
                        public_key=row.public_key,
                        serial=row.serial,
                        signature=row.signature,
                    ),
                    active,
                )
            elif entry.active is not active:
                entry.active = active
            else:
                continue
            self._changed = True
            since, until = self._usable.get(row.camera_id, (0, 0))
            if since <= row.hour_ns < until:
                self._usable[row.camera_id] = since, row.hour_ns  # looked at again from there

    def key_for(self, camera_id: CameraId, time_ns: int) -> PublicHourKey:
        """Return the key for footage of this camera that starts at ``time_ns``. NoHourKeyError: none is valid."""
        entry = self._best(camera_id, hour_of(time_ns))
        if entry is None or not entry.active:
            raise NoHourKeyError(
                f"No valid hour key is known for camera {camera_id} at {to_iso(time_ns)}.",
                "Check that the custodian runs, that the database is reachable, and that the clocks agree.",
            )
        return entry.key

    def ahead_ns(self, camera_id: CameraId, time_ns: int) -> int:
        """Return for how long from ``time_ns`` on the camera has a usable key in every hour, in nanoseconds.

        For that long the recorder can continue without custodian and database. Only hours that have changed, or were
        not looked at before, are looked at.
        """
        hour = hour_of(time_ns)
        since, until = self._usable.get(camera_id, (0, 0))
        if not since <= hour < until:
            since = until = hour
        # Hour by hour: one missing hour stops the recording there, however many follow.
        while (entry := self._best(camera_id, until)) is not None and entry.active:
            until += HOUR_NS
        self._usable[camera_id] = since, until
        return max(0, until - time_ns)

    def forget_before(self, time_ns: int) -> None:
        """Drop the keys of hours that ended at or before ``time_ns``."""
        ended = [slot for slot in self._known if slot[1] + HOUR_NS <= time_ns]
        for slot in ended:
            del self._known[slot]
        first = hour_of(time_ns)
        self._usable = {camera: (max(since, first), until) for camera, (since, until) in self._usable.items()}
        self._changed |= bool(ended)

    def save(self) -> None:
        """Write the file if the cache changed since it was read or last saved. OSError."""
        if self._path is None or not self._changed:
            return
        records = [_pack(entry) for entries in self._known.values() for entry in entries.values()]
        # One write, replaced atomically, with a hash at the end: a torn file is recognized as a whole.
        body = _MAGIC + b"".join(records)
        write_private(self._path, body + hashlib.sha256(body).digest())
        self._changed = False

    def _best(self, camera_id: CameraId, hour_ns: int) -> _CachedKey | None:
        """Return the signed key with the highest serial, and drop unsigned ones above it. None: there is none."""
        entries = self._known.get((camera_id, hour_ns), {})
        for entry in sorted(entries.values(), key=lambda item: item.key.serial, reverse=True):
            if entry.verified or self._verify(entry):
                return entry
            # An unsigned key must not hide the signed one below it, and is not verified again at each segment.
            del entries[_identity(entry.key)]
        return None

    def _verify(self, entry: _CachedKey) -> bool:
        try:
            entry.key.check(self._signer)
        except ForgedStatementError:
            self.refused += 1
            return False
        entry.verified = True
        return True

    def _load(self, path: Path) -> None:
        try:
            data = read_private(path)
        except FileNotFoundError:
            return
        # A wrong hash is a torn write or a damaged disk: the keys come again from the catalogue, so nothing is lost.
        body, digest = data[:-32], data[-32:]
        records = body[len(_MAGIC) :]
        if hashlib.sha256(body).digest() != digest or body[: len(_MAGIC)] != _MAGIC or len(records) % _RECORD.size:
            self.damaged = True
            return
        for fields in _RECORD.iter_unpack(records):
            entry = _unpack(fields)
            self._known.setdefault((entry.key.camera_id, entry.key.hour_ns), {})[_identity(entry.key)] = entry


def _identity(key: PublishedKey | PublicHourKey) -> _Identity:
    """Everything of a key but its camera and hour, under which it is held, and its state."""
    return (key.hour_key_id, key.serial, key.site_id, key.public_key, key.signature)


def _pack(entry: _CachedKey) -> bytes:
    key = entry.key
    return _RECORD.pack(
        key.hour_key_id.bytes,
        key.site_id.bytes,
        key.camera_id.bytes,
        key.hour_ns,
        key.serial,
        key.public_key,
        key.signature,
        entry.active,
    )


def _unpack(fields: tuple[bytes, bytes, bytes, int, int, bytes, bytes, bool]) -> _CachedKey:
    key_id, site, camera, hour_ns, serial, public_key, signature, active = fields
    key = PublicHourKey(
        hour_key_id=HourKeyId(UUID(bytes=key_id)),
        site_id=SiteId(UUID(bytes=site)),
        camera_id=CameraId(UUID(bytes=camera)),
        hour_ns=hour_ns,
        public_key=public_key,
        serial=serial,
        signature=signature,
    )
    return _CachedKey(key, active)

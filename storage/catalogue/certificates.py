"""Certificates: what the custodian states about footage that it made unreadable, signed and chained.

The body is JSON, signed as it stands (Ed25519), so that `openssl pkeyutl -verify -rawin` checks it. ``previous`` is the
SHA-256 of the body before it, zeros for the first: a certificate that is removed or replaced leaves a hole. A body
names cameras, hours, ids, counts and times, no person.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any, Final
from uuid import UUID

import asyncpg
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from domain.ids import CameraId, HourKeyId, SiteId
from domain.time import to_iso
from runtime import sql
from runtime.database import wrapped_errors
from storage.catalogue.errors import BrokenCertificateError

FORMAT: Final = "tallenne-certificate/1"
FIRST: Final = bytes(32)
"""What the first certificate names as the one before it."""
_PACKAGE: Final = "storage.catalogue"


@dataclass(frozen=True, slots=True, kw_only=True)
class CameraHour:
    """A dead hour key: one camera's footage of one UTC hour."""

    hour_key_id: HourKeyId
    camera_id: CameraId
    camera: str
    site_id: SiteId
    site: str
    hour_ns: int
    segments: int
    size_bytes: int
    first_ns: int | None  # the footage's span, where there was any
    last_ns: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """An early erasure: who ordered it, who approved it, by the ids of their accounts."""

    erasure_id: UUID
    asked_by: UUID
    asked_ns: int
    decided_by: UUID
    decided_ns: int

    def said(self) -> dict[str, str]:
        """As a certificate says it."""
        return {
            "erasure_id": str(self.erasure_id),
            "ordered_by": f"staff:{self.asked_by}",
            "ordered": to_iso(self.asked_ns),
            "approved_by": f"staff:{self.decided_by}",
            "approved": to_iso(self.decided_ns),
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Certificate:
    """A row of ``certificate``."""

    number: int
    kind: str
    body: bytes
    signature: bytes
    issued_ns: int

    @property
    def sha256(self) -> bytes:
        """What the next certificate names."""
        return hashlib.sha256(self.body).digest()

    def said(self) -> dict[str, Any]:
        """Return the body's fields."""
        fields: dict[str, Any] = json.loads(self.body)
        return fields


def camera_hour_from_row(row: Mapping[str, Any]) -> CameraHour:
    """Its columns are the fields. A camera that the configuration never named here (a rebuilt database) has no name."""
    said = {name: row[name] for name in CameraHour.__slots__}
    return CameraHour(**{**said, "camera": row["camera"] or "", "site": row["site"] or ""})


def expiry_body(
    hours: Iterable[CameraHour],
    *,
    number: int,
    previous: bytes,
    issued_ns: int,
    expires_hour_ns: int,
    dropped_ns: int,
    confirmed_by: str | None,
    signer: bytes,
) -> bytes:
    """The certificate of one keyring entry's end, as it is signed. ``hours``: all that it sealed, sorted by camera."""
    return _body(
        hours,
        {
            "number": number,
            "kind": "expiry",
            "previous": previous.hex(),
            "issued": to_iso(issued_ns),
            "keyring_hour": to_iso(expires_hour_ns),
            "key_destroyed": to_iso(dropped_ns),
            "reason": "the retention period is over",
            "confirmed_by": confirmed_by,
        },
        signer,
    )


def erasure_body(
    hours: Iterable[CameraHour],
    orders: Iterable[Order],
    *,
    number: int,
    previous: bytes,
    issued_ns: int,
    keyring_hours: Iterable[int],
    signer: bytes,
) -> bytes:
    """The certificate of early erasures, as it is signed.

    ``hours``: the replaced hour keys, sorted by camera, with what was erased of each. ``keyring_hours``: the entries of
    the keyring whose keys were replaced and destroyed.
    """
    return _body(
        hours,
        {
            "number": number,
            "kind": "erasure",
            "previous": previous.hex(),
            "issued": to_iso(issued_ns),
            "keyring_hours": [to_iso(hour_ns) for hour_ns in keyring_hours],
            "key_destroyed": to_iso(issued_ns),
            "reason": "erased before its time, ordered by one person and approved by another",
            "orders": [order.said() for order in orders],
        },
        signer,
    )


def _body(hours: Iterable[CameraHour], said: Mapping[str, Any], signer: bytes) -> bytes:
    cameras = [_camera(list(group)) for _, group in groupby(hours, key=lambda hour: hour.camera_id)]
    body = {
        "format": FORMAT,
        **said,
        "camera_hours": sum(len(camera["hours"]) for camera in cameras),
        "segments": sum(camera["segments"] for camera in cameras),
        "size_bytes": sum(camera["size_bytes"] for camera in cameras),
        "cameras": cameras,
        "signature": "Ed25519 over this file",
        "public_key": signer.hex(),
    }
    return (json.dumps(body, indent=1, ensure_ascii=False) + "\n").encode()


def _camera(hours: Sequence[CameraHour]) -> dict[str, Any]:
    first = hours[0]
    return {
        "camera_id": str(first.camera_id),
        "camera": first.camera,
        "site_id": str(first.site_id),
        "site": first.site,
        "segments": sum(hour.segments for hour in hours),
        "size_bytes": sum(hour.size_bytes for hour in hours),
        "hours": [_hour(hour) for hour in hours],
    }


def _hour(hour: CameraHour) -> dict[str, Any]:
    said: dict[str, Any] = {
        "hour": to_iso(hour.hour_ns),
        "hour_key_id": str(hour.hour_key_id),
        "segments": hour.segments,
        "size_bytes": hour.size_bytes,
    }
    if hour.first_ns is not None and hour.last_ns is not None:
        said |= {"start": to_iso(hour.first_ns), "end": to_iso(hour.last_ns)}
    return said


def check_chain(certificates: Iterable[Certificate], signer: bytes, previous: bytes = FIRST) -> bytes:
    """Verify certificates that follow one another, and return the last one's SHA-256.

    ``signer``: the custodian's Ed25519 public key, 32 bytes. BrokenCertificateError names the first that is wrong.
    """
    key = Ed25519PublicKey.from_public_bytes(signer)
    for certificate in certificates:
        try:
            key.verify(certificate.signature, certificate.body)
        except InvalidSignature:
            raise _broken(certificate, "is not signed by the custodian") from None
        said = certificate.said()
        if said["format"] != FORMAT or said["number"] != certificate.number:
            raise _broken(certificate, "is filed under another number")
        if said["previous"] != previous.hex():
            raise _broken(certificate, "does not follow from the one before it")
        previous = certificate.sha256
    return previous


async def read_certificates(conn: asyncpg.Connection | asyncpg.Pool, after: int, limit: int) -> list[Certificate]:
    """Return up to ``limit`` certificates with numbers above ``after``, in order."""
    with wrapped_errors():
        rows = await conn.fetch(sql.load(_PACKAGE, "certificates"), after, limit)
    return [Certificate(**row) for row in rows]


async def add_certificate(
    conn: asyncpg.Connection,
    kind: str,
    body_of: Callable[[int, bytes], bytes],
    sign: Callable[[bytes], bytes],
    at_ns: int,
) -> int:
    """Append a certificate in the caller's transaction, and return its number. The caller wraps the driver's errors.

    ``body_of``: takes its number and what it names as the one before it.
    """
    last = await last_certificate(conn)
    number, previous = (last.number + 1, last.sha256) if last else (1, FIRST)
    body = body_of(number, previous)
    await conn.execute(sql.load(_PACKAGE, "certificate_add"), number, kind, body, sign(body), at_ns)
    return number


async def last_certificate(conn: asyncpg.Connection | asyncpg.Pool) -> Certificate | None:
    """Return the newest certificate. The caller wraps the driver's errors."""
    row = await conn.fetchrow(sql.load(_PACKAGE, "certificate_last"))
    return None if row is None else Certificate(**row)


def _broken(certificate: Certificate, how: str) -> BrokenCertificateError:
    return BrokenCertificateError(
        f"Certificate {certificate.number} {how}.",
        "Compare the table `certificate` with the certificates that were printed or exported.",
    )

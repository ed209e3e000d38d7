"""What is kept of each camera and until when, what is overdue and why, and the newest certificates."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final
from uuid import UUID

from fastapi import APIRouter
from pydantic import BaseModel, Field

from api.health.parts import PartsDep
from api.http.problems import declared, not_found
from api.records import RecordsDep
from api.sign_in import rights
from api.sign_in.sessions import SignedIn
from domain.time import NS, to_iso
from runtime.status import NOT_KNOWN, statuses
from storage.access.retention import CameraKept, ended, kept
from storage.catalogue.certificates import Certificate, last_certificate, read_certificates

router = APIRouter(prefix="/v1", tags=["retention"])
_CERTIFICATES: Final = 20


class KeptAnswer(BaseModel):
    """One camera: for how long it is kept, and what there is."""

    camera_id: UUID
    site: str
    camera: str
    removed: bool = Field(description="No longer in the configuration; kept to its end.")
    retention_h: float
    camera_hours: int = Field(description="Hours that hold footage.")
    overdue_hours: int
    oldest: str | None
    next_expiry: str | None
    last_expiry: str | None


class WaitingAnswer(BaseModel):
    """Why something is not destroyed, and what an operator can do."""

    what: str
    remedy: str


class CertificateAnswer(BaseModel):
    """A certificate in short; whole and with its signature: `tallenne retention certificates`."""

    number: int
    issued: str
    camera_hours: int
    segments: int
    kind: str = Field(description="expiry, or erasure: ordered by one person and approved by another.")
    confirmed: bool = Field(description="An operator decided it.")


class RetentionAnswer(BaseModel):
    """What is kept until when, and what has ended."""

    known: bool = Field(description="Whether the custodian reports; without it `waiting` says nothing.")
    overdue_hours: int
    overdue_s: int
    waiting: list[WaitingAnswer]
    cameras: list[KeptAnswer]
    expired_camera_hours: int
    to_remove_camera_hours: int
    certificates: list[CertificateAnswer] = Field(description="Newest first.")


@router.get("/retention", responses=declared(401, 404))
async def retention(records: RecordsDep, machine: PartsDep, session: SignedIn) -> RetentionAnswer:
    """For administrators and auditors of everything. Nothing is decided here: `tallenne retention confirm`."""
    if not rights.has_everywhere(session.grants, rights.AUDIT):
        raise not_found()
    status = await asyncio.to_thread(_custodian, machine.run_directory)
    cameras = await kept(records.pool, records.clock_ns())
    totals = await ended(records.pool)
    newest = await last_certificate(records.pool)
    after = max(0, newest.number - _CERTIFICATES) if newest else 0
    certificates = await read_certificates(records.pool, after, _CERTIFICATES)
    said = status.get("retention", {})
    return RetentionAnswer(
        known=bool(status),
        overdue_hours=sum(camera.overdue_hours for camera in cameras),
        overdue_s=int(said.get("overdue_s", 0)),
        waiting=[WaitingAnswer(what=one["what"], remedy=one["remedy"]) for one in _waiting(status)],
        cameras=[_camera(camera) for camera in cameras],
        expired_camera_hours=totals.expired_camera_hours,
        to_remove_camera_hours=totals.to_remove_camera_hours,
        certificates=[_certificate(one) for one in reversed(certificates)],
    )


def _custodian(run_directory: Path) -> Mapping[str, Any]:
    found = (one for one in statuses(run_directory) if one["role"] == "custodian" and one["state"] not in NOT_KNOWN)
    return next(found, {})


def _waiting(status: Mapping[str, Any]) -> list[Mapping[str, str]]:
    return [one for one in status.get("problems", ()) if one.get("topic") in ("retention", "retention change")]


def _camera(camera: CameraKept) -> KeptAnswer:
    return KeptAnswer(
        camera_id=camera.camera_id,
        site=camera.site,
        camera=camera.camera,
        removed=camera.removed,
        retention_h=camera.retention_s / 3600,
        camera_hours=camera.camera_hours,
        overdue_hours=camera.overdue_hours,
        oldest=_time(camera.oldest_hour_ns),
        next_expiry=_time(camera.next_expiry_ns),
        last_expiry=_time(camera.last_expiry_ns),
    )


def _certificate(certificate: Certificate) -> CertificateAnswer:
    said = certificate.said()
    return CertificateAnswer(
        number=certificate.number,
        issued=to_iso(certificate.issued_ns),
        camera_hours=said["camera_hours"],
        segments=said["segments"],
        kind=certificate.kind,
        confirmed=said.get("confirmed_by") is not None,
    )


def _time(time_ns: int | None) -> str | None:
    return None if time_ns is None else to_iso(time_ns // NS * NS)

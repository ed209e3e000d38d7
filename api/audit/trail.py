"""The audit trail as auditors and administrators read it. Reading it is on record too."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from typing import Annotated, Any, Final
from uuid import UUID

import asyncpg
from fastapi import APIRouter, Query
from pydantic import BaseModel, StringConstraints

from api.http.problems import declared
from api.http.times import Instant
from api.records import Records, RecordsDep
from api.sign_in import rights
from api.sign_in.scope import Scope, load_scope
from api.sign_in.sessions import SignedIn, require
from domain.ids import CameraId, MemberId
from domain.time import to_iso
from runtime import sql
from runtime.database import wrapped_errors
from storage.catalogue import audit

router = APIRouter(prefix="/v1", tags=["audit"])
_FIRST_NS = 0
_LAST_NS = (1 << 63) - 1
_ID: Final = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_NAMED: Final = ("staff_id", "asked_by", "cameras", "grants")
"""Keys of an entry's detail whose values are ids; the page shows their names."""


class AuditEntryAnswer(BaseModel):
    """One entry of the audit trail, by its number `seq`."""

    seq: int
    at: str
    actor: str
    name: str | None
    action: str
    purpose: str | None
    reason: str | None
    member_id: UUID | None
    member_number: str | None
    camera_id: UUID | None
    camera: str | None
    start: str | None
    end: str | None
    detail: dict[str, Any]


class AuditPage(BaseModel):
    """Audit entries, the newest first; `next` continues the list."""

    entries: list[AuditEntryAnswer]
    names: dict[UUID, str]
    """What the ids of staff, cameras and sites in ``detail`` stand for, as they are called now."""
    next: int | None


@router.get("/audit", responses=declared(401, 404))
async def audit_trail(
    records: RecordsDep,
    session: SignedIn,
    start: Instant = _FIRST_NS,
    end: Instant = _LAST_NS,
    action: Annotated[str | None, Query(max_length=40, pattern="^[a-z_]*$")] = None,
    actor: Annotated[str | None, StringConstraints(max_length=60, pattern=r"^[a-z0-9:-]*$"), Query()] = None,
    member: UUID | None = None,
    before: Annotated[int, Query(ge=1, le=_LAST_NS, description="`next` of the page before.")] = _LAST_NS,
    limit: Annotated[int, Query(ge=1, le=500)] = 100,
) -> AuditPage:
    """Newest first. Who audits single sites or cameras sees only what concerns their cameras."""
    require(session, rights.AUDIT)
    everything = rights.has_everywhere(session.grants, rights.AUDIT)
    scope = await load_scope(records, session, rights.AUDIT)
    detail = {"before": before if before < _LAST_NS else None, "filtered": bool(action or actor or member)}
    entry = audit.Entry(
        actor=session.actor,
        action="audit_read",
        session_id=session.session_id,
        member_id=None if member is None else MemberId(member),
        detail=detail,
    )
    with wrapped_errors():
        rows = await records.pool.fetch(
            sql.load("api.audit", "audit_page"),
            before,
            limit,
            everything,
            [] if everything else list(scope.cameras),
            start,
            end,
            action,
            actor,
            member,
        )
    await audit.append(records.pool, entry, records.clock_ns())
    details = [json.loads(row["detail"]) for row in rows]
    if not everything:
        details = [_cut(detail, scope) for detail in details]
    return AuditPage(
        entries=[_entry(row, detail) for row, detail in zip(rows, details, strict=True)],
        names=await _names(records, details),
        next=rows[-1]["seq"] if len(rows) == limit and rows[-1]["seq"] > 1 else None,
    )


def _entry(row: asyncpg.Record, detail: dict[str, Any]) -> AuditEntryAnswer:
    return AuditEntryAnswer(
        seq=row["seq"],
        at=to_iso(row["at_ns"]),
        actor=row["actor"],
        name=row["display_name"],
        action=row["action"],
        purpose=row["category"],
        reason=row["reason"],
        member_id=row["member_id"],
        member_number=row["number"],
        camera_id=row["camera_id"],
        camera=row["camera"],
        start=None if row["start_ns"] is None else to_iso(row["start_ns"]),
        end=None if row["end_ns"] is None else to_iso(row["end_ns"]),
        detail=detail,
    )


def _cut(detail: dict[str, Any], scope: Scope) -> dict[str, Any]:
    """To who audits some cameras, an export of several is one of those."""
    if "cameras" not in detail:
        return detail
    return detail | {"cameras": [each for each in detail["cameras"] if CameraId(UUID(each)) in scope.cameras]}


async def _names(records: Records, details: Iterable[dict[str, Any]]) -> dict[UUID, str]:
    packed = json.dumps([[detail.get(key) for key in _NAMED] for detail in details])
    ids = sorted({UUID(found) for found in _ID.findall(packed)})
    if not ids:
        return {}
    with wrapped_errors():
        rows = await records.pool.fetch(sql.load("api.audit", "audit_names"), ids)
    return {row["id"]: row["name"] for row in rows}

"""A page of the audit trail, cut to what an auditor may see. Reading it is on record too."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from typing import Any, Final
from uuid import UUID

import asyncpg
from pydantic import BaseModel

from api.audit.finding import LAST, Filters, Found, find_entries
from api.records import Records
from api.sign_in import rights
from api.sign_in.scope import Scope
from api.sign_in.sessions import Session
from domain.ids import CameraId, MemberId
from domain.time import to_iso
from runtime import sql
from runtime.database import wrapped_errors
from storage.catalogue import audit

ROUNDS: Final = 3
_ID: Final = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_NAMED: Final = ("staff_id", "asked_by", "cameras", "grants")
"""Keys of an entry's detail whose values are ids; the page shows their names."""


class AuditEntryAnswer(BaseModel):
    """One entry of the audit trail, by its number `seq`."""

    seq: int
    at: str
    actor: str
    name: str | None
    session: UUID | None
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
    """Present names of the ids of staff, cameras and sites in ``detail``."""
    next: int | None


async def read_page(
    records: Records,
    session: Session,
    scope: Scope,
    filters: Filters,
    before: int = LAST,
    *,
    limit: int,
    rounds: int | None = ROUNDS,
) -> AuditPage:
    """Return a page of entries; that it was read, with its members, is on record before. 404: a hidden camera.

    rounds: how often at most entries are read to fill the page; None: until it is full, or the trail ends
    """
    everything = rights.has_everywhere(session.grants, rights.AUDIT)
    if filters.camera is not None:
        scope.camera(CameraId(filters.camera))
    cameras = None if everything else [UUID(str(each)) for each in scope.cameras]
    with wrapped_errors():
        async with records.pool.acquire() as conn, conn.transaction():
            found = await find_entries(conn, filters, cameras, before, limit)
            done = 1
            while found.next is not None and len(found.seqs) < limit and (rounds is None or done < rounds):
                done += 1
                more = await find_entries(conn, filters, cameras, found.next, limit - len(found.seqs))
                found = Found(seqs=found.seqs + more.seqs, next=more.next)
            rows = await conn.fetch(sql.load("api.audit", "audit_entries"), found.seqs)
    details = [json.loads(row["detail"]) for row in rows]
    if not everything:
        details = [_cut(detail, scope) for detail in details]
    said = {
        "before": before if before < LAST else None,
        "filtered": filters.narrow,
        "members": await _members(records, rows, details),
    }
    entry = audit.Entry(
        actor=session.actor,
        action="audit_read",
        session_id=session.session_id,
        member_id=None if filters.member is None else MemberId(filters.member),
        detail=said,
    )
    await audit.append(records.pool, entry, records.clock_ns())
    return AuditPage(
        entries=[_entry(row, detail) for row, detail in zip(rows, details, strict=True)],
        names=await _names(records, details),
        next=found.next,
    )


def _entry(row: asyncpg.Record, detail: dict[str, Any]) -> AuditEntryAnswer:
    return AuditEntryAnswer(
        seq=row["seq"],
        at=to_iso(row["at_ns"]),
        actor=row["actor"],
        name=row["display_name"],
        session=row["session_id"],
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
    """Reduce what concerns several cameras to those that the auditor may see."""
    cut = dict(detail)
    if "cameras" in detail:
        cut["cameras"] = [each for each in detail["cameras"] if CameraId(UUID(each)) in scope.cameras]
    if "spans" in detail:
        cut["spans"] = {each: spans for each, spans in detail["spans"].items() if CameraId(UUID(each)) in scope.cameras}
    return cut


async def _members(records: Records, rows: Sequence[asyncpg.Record], details: Sequence[dict[str, Any]]) -> list[str]:
    """Return the members that the page names in any part of an entry: reading it is a look at their data."""
    named = {UUID(found) for found in _ID.findall(json.dumps(details))}
    named |= {row["member_id"] for row in rows if row["member_id"] is not None}
    if not named:
        return []
    with wrapped_errors():
        found = await records.pool.fetch(sql.load("api.audit", "audit_members"), list(named))
    return sorted(str(row["member_id"]) for row in found)


async def _names(records: Records, details: Iterable[dict[str, Any]]) -> dict[UUID, str]:
    packed = json.dumps([[detail.get(key) for key in _NAMED] for detail in details])
    ids = sorted({UUID(found) for found in _ID.findall(packed)})
    if not ids:
        return {}
    with wrapped_errors():
        rows = await records.pool.fetch(sql.load("api.audit", "audit_names"), ids)
    return {row["id"]: row["name"] for row in rows}

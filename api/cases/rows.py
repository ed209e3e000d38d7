"""Cases as rows: what the pages show, and the changes that need no key."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final
from uuid import UUID

from api.records import Records
from api.sign_in import rights
from api.sign_in.sessions import Session
from domain.ids import CameraId, StaffId
from domain.time import NS, Span
from runtime import sql
from runtime.database import wrapped_errors
from storage.catalogue import audit

LISTED_MAX: Final = 400
_PACKAGE: Final = "api.cases"


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseRow:
    """``state``: open, closing (one person has asked for its end) or closed. ``holds``: how many are in force."""

    case_id: UUID
    number: str
    title: str
    reason: str
    state: str
    opened_by: StaffId
    opener: str
    opened_ns: int
    review_ns: int
    closing_by: StaffId | None
    closer: str | None
    second: str | None
    closed_ns: int | None
    holds: int


async def add(records: Records, session: Session, purpose_id: UUID, title: str, reason: str, review_ns: int) -> UUID:
    """Open a case, on record; its id."""
    case_id, now_ns = uuid.uuid4(), records.clock_ns()
    year = str(datetime.fromtimestamp(now_ns // NS, UTC).year)
    with wrapped_errors():
        async with records.pool.acquire() as conn, conn.transaction():
            await conn.execute(sql.load(_PACKAGE, "case_lock"))
            values = (case_id, year, title, reason, session.staff_id, now_ns, review_ns)
            number = await conn.fetchval(sql.load(_PACKAGE, "case_add"), *values)
            detail = {"case_id": str(case_id), "number": number}
            await audit.append_in(conn, _entry(session, purpose_id, "case_opened", detail), now_ns)
    return case_id


async def listed(
    records: Records, session: Session, cameras: Collection[CameraId], case_id: UUID | None = None
) -> list[CaseRow]:
    """Those in sight, open ones first, by the date of review; or the one. The errors of runtime.database."""
    with wrapped_errors():
        values = list(cameras), session.staff_id, LISTED_MAX, list(rights.CASES), case_id
        rows = await records.pool.fetch(sql.load(_PACKAGE, "case_list"), *values)
    return [_row(row) for row in rows]


async def find(records: Records, session: Session, case_id: UUID, cameras: Collection[CameraId]) -> CaseRow | None:
    """A case in sight, or None."""
    return next(iter(await listed(records, session, cameras, case_id)), None)


async def parts(records: Records, case_id: UUID) -> tuple[list[Mapping[str, Any]], list[Mapping[str, Any]]]:
    """Its holds by time, and its notes and clips in the order in which they were added."""
    with wrapped_errors():
        holds = await records.pool.fetch(sql.load(_PACKAGE, "case_holds"), case_id)
        entries = await records.pool.fetch(sql.load(_PACKAGE, "case_entries"), case_id)
    return list(holds), list(entries)


async def add_entry(
    records: Records,
    session: Session,
    purpose_id: UUID,
    case_id: UUID,
    note: str,
    clip: tuple[CameraId, Span] | None = None,
) -> bool:
    """Add a note, or a clip with one. False: the case has ended."""
    now_ns, kind = records.clock_ns(), "note" if clip is None else "clip"
    camera_id, span = clip if clip is not None else (None, None)
    values = (case_id, kind, session.staff_id, now_ns, note, camera_id)
    times = (span.start_ns, span.end_ns) if span else (None, None)
    with wrapped_errors():
        async with records.pool.acquire() as conn, conn.transaction():
            if not await conn.fetchval(sql.load(_PACKAGE, "entry_add"), *values, *times):
                return False
            detail = {"case_id": str(case_id), "kind": kind}
            entry = _entry(session, purpose_id, "case_entry", detail, camera_id, span)
            await audit.append_in(conn, entry, now_ns)
    return True


async def put_review(records: Records, session: Session, purpose_id: UUID, case_id: UUID, review_ns: int) -> bool:
    """Move the date of review. False: the case has ended."""
    now_ns = records.clock_ns()
    with wrapped_errors():
        async with records.pool.acquire() as conn, conn.transaction():
            if not await conn.fetchval(sql.load(_PACKAGE, "case_change"), case_id, review_ns):
                return False
            await audit.append_in(conn, _entry(session, purpose_id, "case_review", {"case_id": str(case_id)}), now_ns)
    return True


def _entry(
    session: Session,
    purpose_id: UUID,
    action: str,
    detail: Mapping[str, Any],
    camera_id: CameraId | None = None,
    span: Span | None = None,
) -> audit.Entry:
    return audit.Entry(
        actor=session.actor,
        action=action,
        session_id=session.session_id,
        purpose_id=purpose_id,
        camera_id=camera_id,
        span=span,
        detail=detail,
    )


def _row(row: Mapping[str, Any]) -> CaseRow:
    kept = {name: row[name] for name in CaseRow.__slots__}
    return CaseRow(**kept)

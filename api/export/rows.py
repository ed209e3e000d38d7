"""Reads and writes the rows of exports."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any, Final
from uuid import UUID

from api.records import Records
from api.sign_in.sessions import Session
from domain.ids import CameraId, StaffId
from domain.time import DAY_NS, Span
from runtime import sql
from runtime.database import wrapped_errors
from storage.catalogue import audit

LISTED_NS: Final = 30 * DAY_NS
LISTED_MAX: Final = 400


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportRow:
    """``state``: see states.py. ``attempt``: which attempt to make it this is, or was the last one."""

    export_id: UUID
    staff_id: StaffId
    display_name: str
    purpose_id: UUID
    category: str
    reason: str
    camera_ids: tuple[CameraId, ...]
    span: Span
    format: str
    state: str
    attempt: int
    minor: bool
    approved_by: StaffId | None
    approver: str | None
    problem: str | None
    manifest: bytes | None = field(repr=False)
    signature: bytes | None = field(repr=False)
    created_ns: int


async def find(records: Records, export_id: UUID) -> ExportRow | None:
    """Return an export's row, or None. Raises the errors of runtime.database."""
    with wrapped_errors():
        row = await records.pool.fetchrow(sql.load("api.export", "export_find"), export_id)
    return None if row is None else _row(row)


async def listed(records: Records, staff_id: StaffId, camera_ids: Collection[CameraId]) -> list[ExportRow]:
    """The person's own exports of the last month, and all of these cameras that wait for approval; newest first.

    The person's own before the others', where there are more than LISTED_MAX.
    """
    with wrapped_errors():
        since_ns = records.clock_ns() - LISTED_NS
        rows = await records.pool.fetch(
            sql.load("api.export", "export_list"), staff_id, since_ns, list(camera_ids), LISTED_MAX
        )
    return sorted(map(_row, rows), key=lambda row: row.created_ns, reverse=True)


async def add(records: Records, row: ExportRow, session: Session) -> None:
    """Add an export; durable and on record on return."""
    with wrapped_errors():
        async with records.pool.acquire() as conn, conn.transaction():
            await conn.execute(
                sql.load("api.export", "export_add"),
                row.export_id,
                row.staff_id,
                row.purpose_id,
                list(row.camera_ids),
                row.span.start_ns,
                row.span.end_ns,
                row.format,
                row.minor,
                row.created_ns,
            )
            asked = entry(session, row, "export_asked", {"minor": row.minor})
            await audit.append_in(conn, asked, row.created_ns)


async def approve(records: Records, row: ExportRow, session: Session) -> bool:
    """Approve an export. False: it does not wait any more, it is not theirs to approve, or a minor came to light."""
    now_ns = records.clock_ns()
    arguments = (row.export_id, session.staff_id, now_ns, row.minor)
    with wrapped_errors():
        async with records.pool.acquire() as conn, conn.transaction():
            if not await conn.fetchval(sql.load("api.export", "export_approve"), *arguments):
                return False
            approved = entry(session, row, "export_approved", {"asked_by": str(row.staff_id), "minor": row.minor})
            await audit.append_in(conn, approved, now_ns)
    return True


async def begin(records: Records, row: ExportRow) -> int | None:
    """The new attempt to make it; None: it waits for an approval, or another request was faster."""
    with wrapped_errors():
        attempt: int | None = await records.pool.fetchval(
            sql.load("api.export", "export_begin"), row.export_id, row.attempt
        )
    return attempt


async def fail(records: Records, row: ExportRow, problem: str) -> None:
    """The attempt ended with a problem; nothing when it was overtaken."""
    with wrapped_errors():
        await records.pool.execute(sql.load("api.export", "export_failed"), row.export_id, row.attempt, problem)


async def reopen(records: Records, row: ExportRow, session: Session) -> bool:
    """A minor came to light: the approval that did not know it is void, on record. False: there is none, or it knew."""
    with wrapped_errors():
        async with records.pool.acquire() as conn, conn.transaction():
            if not await conn.fetchval(sql.load("api.export", "export_reopen"), row.export_id):
                return False
            await audit.append_in(conn, entry(session, row, "export_reopened"), records.clock_ns())
    return True


async def tell_minor(records: Records, row: ExportRow) -> None:
    """A minor came to light while it waits for its approval."""
    with wrapped_errors():
        await records.pool.execute(sql.load("api.export", "export_minor"), row.export_id)


def entry(session: Session, row: ExportRow, action: str, more: Mapping[str, Any] | None = None) -> audit.Entry:
    """Append an audit entry about what the person did with this export."""
    return audit.Entry(
        actor=session.actor,
        action=action,
        session_id=session.session_id,
        purpose_id=row.purpose_id,
        camera_id=row.camera_ids[0] if len(row.camera_ids) == 1 else None,
        span=row.span,
        detail={"export_id": str(row.export_id), "cameras": [str(each) for each in row.camera_ids], **(more or {})},
    )


def _row(row: Mapping[str, Any]) -> ExportRow:
    return ExportRow(
        export_id=row["export_id"],
        staff_id=StaffId(row["staff_id"]),
        display_name=row["display_name"],
        purpose_id=row["purpose_id"],
        category=row["category"],
        reason=row["reason"],
        camera_ids=tuple(CameraId(each) for each in row["camera_ids"]),
        span=Span(row["start_ns"], row["end_ns"]),
        format=row["format"],
        state=row["state"],
        attempt=row["attempt"],
        minor=row["minor"],
        approved_by=None if row["approved_by"] is None else StaffId(row["approved_by"]),
        approver=row["approver"],
        problem=row["problem"],
        manifest=row["manifest"],
        signature=row["signature"],
        created_ns=row["created_ns"],
    )

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
LAPSED_MAX: Final = 1000
"""Of those that wait, so many are looked at in one turn, the oldest first."""


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
    masked: bool
    approved_by: StaffId | None
    approver: str | None
    problem: str | None
    ender: str | None
    ended_ns: int | None
    refusal: str | None
    manifest: bytes | None = field(repr=False)
    signature: bytes | None = field(repr=False)
    created_ns: int


@dataclass(frozen=True, slots=True, kw_only=True)
class StepRow:
    """A step of an export. ``who``: the name of the person who made it; ``staff_id``: who asked for the export."""

    step_id: int
    step: str
    reason: str | None
    at_ns: int
    who: str | None
    export_id: UUID
    staff_id: StaffId
    camera_ids: tuple[CameraId, ...]
    span: Span


async def history(
    records: Records,
    staff_id: StaffId,
    camera_ids: Collection[CameraId],
    before: int,
    limit: int,
    export_id: UUID | None,
) -> list[StepRow]:
    """Steps below ``before`` of the person's own exports and those that they decided about, or of one; newest first."""
    with wrapped_errors():
        values = staff_id, list(camera_ids), before, limit, export_id
        found = await records.pool.fetch(sql.load("api.export", "export_history"), *values)
    copied = ("step_id", "step", "reason", "at_ns", "who", "export_id")
    return [
        StepRow(
            **{name: row[name] for name in copied},
            staff_id=StaffId(row["staff_id"]),
            camera_ids=tuple(CameraId(each) for each in row["camera_ids"]),
            span=Span(row["start_ns"], row["end_ns"]),
        )
        for row in found
    ]


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
            footage_ns = await conn.fetchval(sql.load("api.export", "export_footage"), *_where(row))
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
                footage_ns,
                row.masked,
            )
            asked = entry(session, row, "export_asked", {"minor": row.minor, "masked": row.masked})
            await audit.append_in(conn, asked, row.created_ns)


async def approve(records: Records, row: ExportRow, session: Session) -> bool:
    """Approve an export.

    False: it does not wait any more, is not theirs to approve, a minor came to light, or some of its footage is gone.
    """
    now_ns = records.clock_ns()
    with wrapped_errors():
        async with records.pool.acquire() as conn, conn.transaction():
            await conn.execute(sql.load("api.export", "export_lock"), row.export_id)
            footage_ns = await conn.fetchval(sql.load("api.export", "export_footage"), *_where(row))
            arguments = (row.export_id, session.staff_id, now_ns, row.minor, footage_ns)
            if not await conn.fetchval(sql.load("api.export", "export_approve"), *arguments):
                return False
            approved = entry(session, row, "export_approved", {"asked_by": str(row.staff_id), "minor": row.minor})
            await audit.append_in(conn, approved, now_ns)
    return True


async def refuse(records: Records, row: ExportRow, session: Session, reason: str) -> bool:
    """Refuse an export, with a reason that its asker reads. False: it does not wait, or is not theirs to decide."""
    now_ns = records.clock_ns()
    with wrapped_errors():
        async with records.pool.acquire() as conn, conn.transaction():
            arguments = (row.export_id, session.staff_id, now_ns, reason)
            if not await conn.fetchval(sql.load("api.export", "export_refuse"), *arguments):
                return False
            await audit.append_in(conn, entry(session, row, "export_declined", {"asked_by": str(row.staff_id)}), now_ns)
    return True


async def cancel(records: Records, row: ExportRow, session: Session) -> bool:
    """The asker takes it back. False: it does not wait any more, or another person asked for it."""
    now_ns = records.clock_ns()
    with wrapped_errors():
        async with records.pool.acquire() as conn, conn.transaction():
            arguments = (row.export_id, session.staff_id, now_ns)
            if not await conn.fetchval(sql.load("api.export", "export_cancel"), *arguments):
                return False
            await audit.append_in(conn, entry(session, row, "export_cancelled"), now_ns)
    return True


async def lapse_all(records: Records) -> int:
    """End those that wait for a decision about footage of which some has ended. Returns how many."""
    with wrapped_errors():
        waiting = await records.pool.fetch(sql.load("api.export", "exports_waiting"), LAPSED_MAX)
    return sum([await lapse(records, row) for each in waiting if (row := await find(records, each["export_id"]))])


async def lapse(records: Records, row: ExportRow) -> bool:
    """End an export that waits when some of its footage has ended. False: all of it is there, or it does not wait."""
    now_ns = records.clock_ns()
    with wrapped_errors():
        async with records.pool.acquire() as conn, conn.transaction():
            await conn.execute(sql.load("api.export", "export_lock"), row.export_id)
            footage_ns = await conn.fetchval(sql.load("api.export", "export_footage"), *_where(row))
            await conn.execute(sql.load("api.export", "export_arrived"), row.export_id, footage_ns)
            if not await conn.fetchval(sql.load("api.export", "export_lapse"), row.export_id, now_ns, footage_ns):
                return False
            await audit.append_in(conn, entry(None, row, "export_lapsed", {"asked_by": str(row.staff_id)}), now_ns)
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


def entry(
    session: Session | None,
    row: ExportRow,
    action: str,
    more: Mapping[str, Any] | None = None,
    purpose_id: UUID | None = None,
) -> audit.Entry:
    """Return the audit entry about what the person did with this export. ``session`` None: the role did it by itself.

    purpose_id: the person's own, where it is not the asker's that counts
    """
    return audit.Entry(
        actor="role:serve" if session is None else session.actor,
        action=action,
        session_id=None if session is None else session.session_id,
        purpose_id=purpose_id or row.purpose_id,
        camera_id=row.camera_ids[0] if len(row.camera_ids) == 1 else None,
        span=row.span,
        detail={"export_id": str(row.export_id), "cameras": [str(each) for each in row.camera_ids], **(more or {})},
    )


def _where(row: ExportRow) -> tuple[list[CameraId], int, int]:
    """The cameras and the span, as queries take them."""
    return list(row.camera_ids), row.span.start_ns, row.span.end_ns


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
        masked=row["masked"],
        approved_by=None if row["approved_by"] is None else StaffId(row["approved_by"]),
        approver=row["approver"],
        problem=row["problem"],
        ender=row["ender"],
        ended_ns=row["ended_ns"],
        refusal=row["refusal"],
        manifest=row["manifest"],
        signature=row["signature"],
        created_ns=row["created_ns"],
    )

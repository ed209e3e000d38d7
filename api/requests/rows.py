"""Requests as rows: received, checked, extended, ended. Each step is one conditional statement, on record with it."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

import asyncpg

from api.records import Records
from api.requests.due import EXTENDED_MONTHS, MONTHS, due_ns
from api.sign_in.sessions import Session
from domain.ids import MemberId
from domain.time import DAY_NS
from runtime import sql
from runtime.database import wrapped_errors
from storage.catalogue import audit

LISTED_MAX: Final = 500
SOON_NS: Final = 7 * DAY_NS
_PACKAGE: Final = "api.requests"


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class RequestRow:
    """A request. ``number`` and ``name`` None: the person has been erased. Personal data stays out of repr."""

    request_id: UUID
    member_id: MemberId
    number: str | None
    name: str | None
    kind: str
    channel: str
    state: str
    details: str
    received_ns: int
    due_ns: int
    extension: str | None
    identity: str | None
    identity_ns: int | None
    identity_by: str | None
    ended_ns: int | None
    ended_by: str | None
    answer: str | None
    erased_ns: int | None


async def listed(
    records: Records, *, ended: bool = False, request_id: UUID | None = None, member_id: MemberId | None = None
) -> list[RequestRow]:
    """Return open requests, what is due first before others; or those that have ended, or one, or one member's."""
    with wrapped_errors():
        values = (ended, request_id, member_id, LISTED_MAX)
        rows = await records.pool.fetch(sql.load(_PACKAGE, "request_list"), *values)
    return [_row(row) for row in rows]


async def due_soon(records: Records) -> int:
    """How many open requests are due within a week, or late. The database's errors."""
    with wrapped_errors():
        return int(await records.pool.fetchval(sql.load(_PACKAGE, "requests_due"), records.clock_ns() + SOON_NS))


async def add(
    records: Records,
    entry: audit.Entry,
    member_id: MemberId,
    *,
    kind: str,
    channel: str,
    details: str,
    received_ns: int,
    identity: str | None = None,
) -> UUID | None:
    """Receive a request; its id. None: the member is not in the register. ``identity``: how the member signed in.

    Of those who ask on their own pages one request of a kind is open at a time. None: one is.

    ``entry``: who says so; it is completed here.
    """
    request_id, now_ns = uuid.uuid4(), records.clock_ns()
    with wrapped_errors():
        async with records.pool.acquire() as conn, conn.transaction():
            zone = await conn.fetchval(sql.load(_PACKAGE, "zone")) or "UTC"
            due = due_ns(received_ns, MONTHS, zone)
            if identity is not None:
                await conn.execute(sql.load(_PACKAGE, "requests_lock"), str(member_id))
            values = (request_id, member_id, kind, channel, details, received_ns, due, identity is not None)
            if not await conn.fetchval(sql.load(_PACKAGE, "request_add"), *values):
                return None
            if identity is not None:
                await conn.execute(sql.load(_PACKAGE, "request_identify"), request_id, identity, None, now_ns)
            detail = {"request_id": str(request_id), "kind": kind, "channel": channel}
            await audit.append_in(conn, _completed(entry, "request_received", member_id, detail), now_ns)
    return request_id


async def step(
    records: Records, session: Session, purpose_id: UUID, row: RequestRow, name: str, text: str | None = None
) -> bool:
    """Take a step: identify, extend, answer, refuse or withdraw, with its text. False: the state does not allow it."""
    query, action, values = _step(records, session, row, name, text)
    with wrapped_errors():
        async with records.pool.acquire() as conn, conn.transaction():
            if name == "extend":
                zone = await conn.fetchval(sql.load(_PACKAGE, "zone")) or "UTC"
                values = (*values, due_ns(row.received_ns, EXTENDED_MONTHS, zone))
            if not await conn.fetchval(query, row.request_id, *values):
                return False
            detail = {"request_id": str(row.request_id), "kind": row.kind}
            entry = _completed(staff_entry(session, purpose_id), action, row.member_id, detail)
            await audit.append_in(conn, entry, records.clock_ns())
    return True


async def take_back(records: Records, entry: audit.Entry, row: RequestRow) -> bool:
    """End a request, since the member takes it back on their own page. False: it has ended already."""
    now_ns = records.clock_ns()
    with wrapped_errors():
        async with records.pool.acquire() as conn, conn.transaction():
            if not await conn.fetchval(sql.load(_PACKAGE, "request_withdraw"), row.request_id, None, now_ns):
                return False
            detail = {"request_id": str(row.request_id), "kind": row.kind}
            await audit.append_in(conn, _completed(entry, "request_withdrawn", row.member_id, detail), now_ns)
    return True


async def erase_person(records: Records, session: Session, purpose_id: UUID, row: RequestRow) -> bool:
    """Cut the link between the internal id and the person, for good. False: not such a request, or not checked."""
    now_ns = records.clock_ns()
    with wrapped_errors():
        async with records.pool.acquire() as conn, conn.transaction():
            if not await conn.fetchval(sql.load(_PACKAGE, "person_erase"), row.request_id, now_ns):
                return False
            detail = {"request_id": str(row.request_id)}
            entry = _completed(staff_entry(session, purpose_id), "person_erased", row.member_id, detail)
            await audit.append_in(conn, entry, now_ns)
    return True


def staff_entry(session: Session, purpose_id: UUID) -> audit.Entry:
    """An entry by this session's person; its action is set when it is appended."""
    return audit.Entry(actor=session.actor, action="", session_id=session.session_id, purpose_id=purpose_id)


def _step(
    records: Records, session: Session, row: RequestRow, name: str, text: str | None
) -> tuple[str, str, tuple[Any, ...]]:
    """Return the statement, the action on record, and the statement's values after the request's id."""
    now_ns, staff_id = records.clock_ns(), session.staff_id
    match name:
        case "identify":
            return sql.load(_PACKAGE, "request_identify"), "request_identified", (text, staff_id, now_ns)
        case "extend":
            return sql.load(_PACKAGE, "request_extend"), "request_extended", (text, now_ns)
        case "answer":
            return sql.load(_PACKAGE, "request_answer"), "request_answered", (text, staff_id, now_ns)
        case "refuse":
            return sql.load(_PACKAGE, "request_refuse"), "request_refused", (text, staff_id, now_ns)
        case "withdraw":
            return sql.load(_PACKAGE, "request_withdraw"), "request_withdrawn", (staff_id, now_ns)
    raise ValueError(f"there is no step {name} of request {row.request_id}")


def _completed(entry: audit.Entry, action: str, member_id: MemberId, detail: dict[str, str]) -> audit.Entry:
    return audit.Entry(
        actor=entry.actor,
        action=action,
        session_id=entry.session_id,
        purpose_id=entry.purpose_id,
        member_id=member_id,
        detail=detail,
    )


def _row(row: asyncpg.Record) -> RequestRow:
    return RequestRow(
        request_id=row["request_id"],
        member_id=MemberId(row["member_id"]),
        number=row["number"],
        name=row["name"],
        kind=row["kind"],
        channel=row["channel"],
        state=row["state"],
        details=row["details"],
        received_ns=row["received_ns"],
        due_ns=row["due_ns"],
        extension=row["extension"],
        identity=row["identity"],
        identity_ns=row["identity_ns"],
        identity_by=row["identity_by"],
        ended_ns=row["ended_ns"],
        ended_by=row["ended_by_name"],
        answer=row["answer"],
        erased_ns=row["erased_ns"],
    )

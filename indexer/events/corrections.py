"""Corrections: the reported event stays unchanged and is superseded by a new one."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

import asyncpg

from domain.access import Direction, EventKind
from domain.ids import DoorId, EventId, MemberId, new_event_id
from domain.time import Span
from indexer.errors import IndexMisuseError
from indexer.events.receive import load_names
from runtime import sql
from runtime.database import wrapped_errors
from storage.access import event
from storage.catalogue import audit

_PACKAGE: Final = "indexer.events"


@dataclass(frozen=True, slots=True, kw_only=True)
class Replacement:
    """The corrected content of an event."""

    door_id: DoorId
    kind: EventKind
    direction: Direction | None
    member_id: MemberId | None
    occurred_ns: int
    uncertain: bool = False


async def withdraw_event(
    pool: asyncpg.Pool, event_id: EventId, *, actor: str = "operator", clock_ns: Callable[[], int] = time.time_ns
) -> None:
    """Withdraw an event. IndexMisuseError: it is not in force."""
    now_ns = clock_ns()
    with wrapped_errors():
        async with pool.acquire() as conn, conn.transaction():
            if not await _supersede(conn, [event_id], [event_id], now_ns):
                raise _not_in_force(event_id)
            await _record(conn, "event_withdrawn", actor, now_ns, {"event": str(event_id)})


async def supersede_event(
    pool: asyncpg.Pool,
    event_id: EventId,
    replacement: Replacement,
    *,
    actor: str = "operator",
    clock_ns: Callable[[], int] = time.time_ns,
) -> EventId:
    """The new event's id. IndexMisuseError when the old one is not in force, or the door is unknown."""
    names, now_ns = await load_names(pool), clock_ns()
    new = new_event_id(now_ns)
    with wrapped_errors():
        async with pool.acquire() as conn, conn.transaction():
            old = await conn.fetchrow(sql.load(_PACKAGE, "event_lock"), event_id)
            if old is None:
                raise _not_in_force(event_id)
            values = (
                replacement.door_id,
                replacement.kind.value,
                replacement.direction.value if replacement.direction else None,
                replacement.member_id,
                replacement.occurred_ns,
                replacement.uncertain,
            )
            key = names.of_correction(old["dedup_key"])
            if not await conn.fetchval(sql.load(_PACKAGE, "event_replace"), new, key, old["received_ns"], *values):
                raise IndexMisuseError(f"Door {replacement.door_id} is not known.")
            await _supersede(conn, [event_id], [new], now_ns)
            await _record(conn, "event_superseded", actor, now_ns, {"event": str(event_id), "by": str(new)})
    return new


async def reassign_events(
    pool: asyncpg.Pool,
    from_member: MemberId,
    to_member: MemberId,
    span: Span,
    *,
    actor: str = "operator",
    clock_ns: Callable[[], int] = time.time_ns,
) -> int:
    """A credential was the wrong member's: all of ``from_member``'s events in ``span`` become ``to_member``'s.

    How many. The credential's validity is the import's business. Safe to repeat.
    """
    names, now_ns = await load_names(pool), clock_ns()
    with wrapped_errors():
        async with pool.acquire() as conn, conn.transaction():
            arguments = (from_member, span.start_ns, span.end_ns)
            rows = await conn.fetch(sql.load(_PACKAGE, "events_of_member_lock"), *arguments)
            old = [EventId(row["event_id"]) for row in rows]
            new = [new_event_id(now_ns) for _ in rows]
            keys = [names.of_correction(row["dedup_key"]) for row in rows]
            await conn.execute(sql.load(_PACKAGE, "events_reassign"), old, new, keys, to_member)
            await _supersede(conn, old, new, now_ns)
            detail = {"from": str(from_member), "to": str(to_member), "events": len(old)}
            await _record(conn, "events_reassigned", actor, now_ns, detail)
    return len(old)


async def member_named(pool: asyncpg.Pool, name: str) -> MemberId:
    """The member of a customer number, or of an internal uuid that is given as it is. IndexMisuseError."""
    with wrapped_errors():
        rows = await pool.fetch(sql.load("indexer", "members_by_number"), [name])
    if rows:
        return MemberId(rows[0]["member_id"])
    with contextlib.suppress(ValueError), wrapped_errors():
        if await pool.fetchval(sql.load(_PACKAGE, "member_known"), UUID(name)):
            return MemberId(UUID(name))
    raise IndexMisuseError(
        "There is no such member.", "Give the customer number, or the internal id that `tallenne events list` shows."
    )


async def event_as_it_is(pool: asyncpg.Pool, event_id: EventId) -> Replacement:
    """To be changed in part, for supersede_event(). IndexMisuseError when it is not in force."""
    found = await event(pool, event_id)
    if found is None:
        raise _not_in_force(event_id)
    return Replacement(
        door_id=found.door_id,
        kind=found.kind,
        direction=found.direction,
        member_id=found.member_id,
        occurred_ns=found.occurred_ns,
        uncertain=found.uncertain,
    )


async def _supersede(conn: asyncpg.Connection, old: Sequence[EventId], by: Sequence[EventId], now_ns: int) -> bool:
    """Supersede the old events and queue both sides for the tagger. Return whether all of them were in force."""
    rows = await conn.fetch(sql.load(_PACKAGE, "events_supersede"), list(old), list(by), now_ns)
    return len(rows) == len(old)


async def _record(conn: asyncpg.Connection, action: str, actor: str, now_ns: int, detail: dict[str, Any]) -> None:
    await audit.append_in(conn, audit.Entry(actor=actor, action=action, detail=detail), now_ns)


def _not_in_force(event_id: EventId) -> IndexMisuseError:
    return IndexMisuseError(f"Event {event_id} is not in force.", "It is unknown, withdrawn or corrected already.")

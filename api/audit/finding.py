"""Which entries of the audit trail fit the filters. A page reads a bounded number, by the index of the narrowest."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Final
from uuid import UUID

import asyncpg
from fastapi import Query
from pydantic import StringConstraints

from api.http.texts import LINE
from api.http.times import Instant
from runtime import sql

FIRST_NS: Final = 0
LAST: Final = (1 << 63) - 1
READ_MAX: Final = 2000
"""So many entries a page reads by each way at most. Where they do not fill it, the next page goes on behind them."""
PERIOD_MAX: Final = 20_000
"""So many entries a time may hold to be read by its index, which does not know their order. Those of a longer time are
read backwards from the end of the trail."""
_PACKAGE: Final = "api.audit"


@dataclass(frozen=True, slots=True)
class Filters:
    """Which entries to show."""

    start: Instant = FIRST_NS
    end: Instant = LAST
    action: Annotated[str | None, Query(max_length=40, pattern="^[a-z_]*$")] = None
    actor: Annotated[str | None, StringConstraints(max_length=60, pattern=r"^[a-z0-9:-]*$"), Query()] = None
    member: UUID | None = None
    number: Annotated[
        str | None,
        StringConstraints(max_length=60, pattern=LINE),
        Query(description="A member's number, the whole of it."),
    ] = None
    camera: UUID | None = None

    @property
    def narrow(self) -> bool:
        """Whether they are about more than time."""
        return bool(self.action or self.actor or self.member or self.number or self.camera)


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """The entries of a page by their numbers, the newest first, and where the next page goes on."""

    seqs: list[int]
    next: int | None


async def find_entries(
    conn: asyncpg.Connection, filters: Filters, cameras: list[UUID] | None, before: int, limit: int
) -> Found:
    """Return a page, within a transaction. ``cameras``: what is about others is left out; None: nothing is."""
    members = [] if filters.member is None else [filters.member]
    if filters.number is not None:
        member = await conn.fetchval(sql.load(_PACKAGE, "audit_member"), filters.number)
        if member is None:
            return Found(seqs=[], next=None)
        members.append(member)
    await conn.execute(sql.load(_PACKAGE, "audit_by_index"))
    way = await _narrowest(conn, filters, bool(members), cameras)
    if way is None:
        query = sql.load(_PACKAGE, "audit_recent")
        rows = await conn.fetch(query, before, limit, filters.start, filters.end)
        return _found([row["seq"] for row in rows], 0, limit)
    of = list(cameras or []) if filters.camera is None else [filters.camera]
    row = await conn.fetchrow(
        sql.load(_PACKAGE, "audit_found"),
        *(before, limit, cameras is None, cameras or [], filters.start, filters.end),
        *(filters.action, filters.actor, members, of),
        *(READ_MAX if way != "camera" else max(limit, READ_MAX // len(of)), way),
    )
    return _found(row["found"], row["reached"], limit)


async def _narrowest(
    conn: asyncpg.Connection, filters: Filters, member: bool, cameras: list[UUID] | None
) -> str | None:
    """The filter by which entries are read; None: from the end of the trail backwards."""
    query = sql.load(_PACKAGE, "audit_extent")
    given = {
        "period": filters.start > FIRST_NS or filters.end < LAST,
        "action": filters.action is not None,
        "actor": filters.actor is not None,
    }
    when = (filters.start, filters.end) if given["period"] else (None, None)
    row = await conn.fetchrow(query, *when, filters.action, filters.actor, READ_MAX + 1, PERIOD_MAX + 1)
    least = min((name for name in given if given[name]), key=lambda name: row[name], default=None)
    if least is not None and row[least] <= READ_MAX:
        return least
    if given["period"] and row["period"] <= PERIOD_MAX:
        return "period"
    if member:
        return "member"
    if filters.camera is not None or cameras is not None:
        return "camera"
    return next((name for name in ("actor", "action") if given[name]), None)


def _found(seqs: list[int], reached: int, limit: int) -> Found:
    on = seqs[-1] if len(seqs) == limit else reached
    return Found(seqs=seqs, next=on if on > 1 else None)

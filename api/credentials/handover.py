"""Who was shown whose password or second factor. For some days both accounts count as one person where two are needed.

An administrator who makes an account, or gives one another password or second factor, could sign in as it. The links
between such accounts are followed in both directions: two accounts that one administrator made are in one hand, too.
That a person does not use two accounts later on no record can show; until then the other administrators can see it.
"""

from __future__ import annotations

import asyncpg

from domain.ids import StaffId
from domain.time import DAY_NS
from runtime import sql
from runtime.database import wrapped_errors


async def note(conn: asyncpg.Connection, staff_id: StaffId, by: StaffId, kind: str, now_ns: int) -> None:
    """Within the caller's transaction. ``kind``: "account", "password" or "factor". Nothing for one's own."""
    if staff_id != by:
        await conn.execute(sql.load("api.credentials", "handover_add"), staff_id, by, kind, now_ns)


async def in_one_hand(pool: asyncpg.Pool, staff_id: StaffId, now_ns: int) -> frozenset[StaffId]:
    """The accounts that count as one person with this one, without itself. The database's errors."""
    with wrapped_errors():
        rows = await pool.fetch(sql.load("api.credentials", "handover_hand"), staff_id, now_ns)
    return frozenset(StaffId(row["staff_id"]) for row in rows) - {staff_id}


async def set_up_lately(pool: asyncpg.Pool, now_ns: int) -> int:
    """How many accounts administrators set up within a day, for a notice to all of them. The database's errors."""
    with wrapped_errors():
        return int(await pool.fetchval(sql.load("api.credentials", "handover_count"), now_ns - DAY_NS))

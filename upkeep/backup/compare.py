"""What a database holds at one position of its log, so that a copy restored to it can be compared to the row."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Final

import asyncpg

from runtime import sql
from runtime.database import connect, wrapped_errors
from runtime.settings import DatabaseSettings

_PACKAGE: Final = "upkeep.backup"
_TRIES: Final = 40
_PAUSE_S: Final = 0.5
_LOCK: Final = "SET LOCAL lock_timeout = '800ms'"  # sooner than a deadlock is looked for: no role's work is cancelled
Tables = Mapping[str, tuple[int, str]]
"""By table: rows, and a hash of them all."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """``tables`` are those of the log's ``position``, exactly."""

    position: int
    tables: Tables


async def tables_of(conn: asyncpg.Connection) -> Tables:
    """Read every table once. The database's errors."""
    with wrapped_errors():
        found = {}
        for row in await conn.fetch(sql.load(_PACKAGE, "count_tables")):
            counted = await conn.fetchrow(row["statement"])
            found[row["name"]] = (counted["rows"], counted["hash"])
        return found


async def moment_of(settings: DatabaseSettings) -> Moment:
    """Of a database that is being written to. Writers wait for as long as it takes to name the moment: milliseconds.

    The database's errors; DatabaseAwayError: there was no such moment within twenty seconds.
    """
    async with AsyncExitStack() as stack:
        conns = []
        for _ in range(3):
            conn = await connect(settings, application_name="backup drill", statement_timeout_s=0)
            stack.push_async_callback(conn.close)
            conns.append(conn)
        locking, reading, marking = conns
        statement = await locking.fetchval(sql.load(_PACKAGE, "lock_tables"))
        with wrapped_errors():
            await _locked(locking, statement)
            snapshot = await locking.fetchval("SELECT pg_export_snapshot()")
            await reading.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
            await reading.execute(await marking.fetchval(sql.load(_PACKAGE, "as_of"), snapshot))
            await marking.execute(sql.load(_PACKAGE, "mark"))
            position = await marking.fetchval(sql.load(_PACKAGE, "flushed"))
            await locking.execute("COMMIT")
        return Moment(position=position, tables=await tables_of(reading))


async def _locked(conn: asyncpg.Connection, statement: str) -> None:
    """Begin a transaction in which no other one can write. It sees what was committed before."""
    for left in reversed(range(_TRIES)):
        await conn.execute("BEGIN ISOLATION LEVEL REPEATABLE READ")
        try:
            await conn.execute(_LOCK)
            await conn.execute(statement)
        except asyncpg.LockNotAvailableError:
            await conn.execute("ROLLBACK")
            if not left:
                raise
            await asyncio.sleep(_PAUSE_S)
        else:
            return

"""When each door last reported, and how long it usually pauses: what distinguishes a silent door from a quiet night."""

from __future__ import annotations

import time
from typing import Any, Final

import asyncpg

from domain.time import DAY_NS, NS
from runtime import sql
from runtime.database import wrapped_errors

WINDOW_NS: Final = 14 * DAY_NS
"""Two weekends."""
KNOWN_AFTER_NS: Final = 7 * DAY_NS
KNOWN_EVENTS: Final = 50
"""A door that has reported for less, or less often, has no usual pause yet."""


async def door_pauses(pool: asyncpg.Pool, now_ns: int | None = None) -> dict[str, dict[str, Any]]:
    """By door id: ``name``, ``last_ns``, ``longest_pause_s`` (None: not known yet), as JSON.

    Doors that never reported are left out. Raises the database errors of runtime.errors.
    """
    now_ns = time.time_ns() if now_ns is None else now_ns
    with wrapped_errors():
        rows = await pool.fetch(sql.load("indexer.events", "door_pauses"), now_ns - WINDOW_NS)
    return {str(row["door_id"]): _door(row, now_ns) for row in rows}


def _door(row: asyncpg.Record, now_ns: int) -> dict[str, Any]:
    first_ns = row["first_ns"]
    known = first_ns is not None and now_ns - first_ns >= KNOWN_AFTER_NS and row["events"] >= KNOWN_EVENTS
    pause_s = round(row["longest_ns"] / NS, 1) if known else None
    return {"name": row["name"], "last_ns": row["last_ns"], "longest_pause_s": pause_s}

"""Door messages that nobody understood: when, where, why, how often. What they say only the custodian can open."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final
from uuid import UUID

import asyncpg

from runtime import sql
from runtime.database import wrapped_errors

_PACKAGE: Final = "storage.access"
LIMIT_MAX: Final = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class QuarantineRow:
    quarantine_id: UUID
    received_ns: int
    topic: str  # printable, cut to 200 characters
    reason: str  # one of ours, without anything from the payload
    seen_count: int
    size_bytes: int  # sealed; 0 once replayed
    replayed_ns: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class QuarantineCursor:
    """The last row of a page: the next page starts below it."""

    received_ns: int
    quarantine_id: UUID


async def quarantined(
    pool: asyncpg.Pool | asyncpg.Connection,
    *,
    limit: int = 100,
    before: QuarantineCursor | None = None,
    waiting_only: bool = False,
) -> list[QuarantineRow]:
    """Newest first. ``waiting_only``: without those that have been replayed."""
    at, below = (before.received_ns, before.quarantine_id) if before else (None, None)
    with wrapped_errors():
        rows = await pool.fetch(sql.load(_PACKAGE, "quarantined"), min(limit, LIMIT_MAX), at, below, waiting_only)
    return [QuarantineRow(**row) for row in rows]

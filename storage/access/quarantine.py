"""Quarantined door messages: when, where, why and how often. Only the custodian can open their payloads."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final
from uuid import UUID

import asyncpg

from runtime import sql
from runtime.database import wrapped_errors
from storage.access.cursor import Cursor

_PACKAGE: Final = "storage.access"
LIMIT_MAX: Final = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class QuarantineRow:
    """A message that the indexer could not decode."""

    quarantine_id: UUID
    received_ns: int  # first
    topic: str  # printable characters, at most 200
    reason: str  # written by Tallenne; contains nothing of the payload
    seen_count: int
    size_bytes: int  # of the sealed payload; 0 once the message has been replayed
    replayed_ns: int | None

    @property
    def cursor(self) -> Cursor:
        """The cursor of the page that ends with this row."""
        return Cursor(time_ns=self.received_ns, row_id=self.quarantine_id)


async def quarantined(
    pool: asyncpg.Pool | asyncpg.Connection,
    *,
    limit: int = 100,
    before: Cursor | None = None,
    waiting_only: bool = False,
) -> list[QuarantineRow]:
    """Return quarantined messages, newest first, at most ``limit`` (1,000).

    ``before``: the cursor of the last row of the previous page. ``waiting_only``: without replayed messages. Raises
    the database errors of runtime/errors.py.
    """
    at, below = (before.time_ns, before.row_id) if before else (None, None)
    with wrapped_errors():
        rows = await pool.fetch(sql.load(_PACKAGE, "quarantined"), min(limit, LIMIT_MAX), at, below, waiting_only)
    return [QuarantineRow(**row) for row in rows]

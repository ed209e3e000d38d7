"""Verifies committed rows in the order of their commits, and settles each: what does not verify is refused.

Runs in the custodian all the time, and in repairs. PostgreSQL cannot check Ed25519, and ingest's word is not enough.
"""

from __future__ import annotations

from typing import Any, Final

import asyncpg

from domain.footage import SegmentState
from domain.ids import SegmentId
from runtime import sql
from runtime.database import wrapped_errors
from storage.catalogue.commit import settle_row
from storage.catalogue.recorders import Recorders, read_recorders
from storage.catalogue.rows import segment_from_row
from storage.claims.flaws import as_signed, row_flaw
from storage.sealed import object_name_of

_PACKAGE: Final = "storage.claims"
BATCH: Final = 200


class Judge:
    """``pool``: of the custodian's role, or the owner's."""

    def __init__(self, pool: asyncpg.Pool) -> None:
        self._pool = pool
        self.settled = 0
        self.refused = 0
        self.last_refused = ""  # what the newest refused row is, and why

    async def run_once(self) -> int:
        """Settle the rows that wait. Returns how many were settled. Raises the database errors; then again."""
        before = self.settled
        more = True
        while more:
            more = await self._batch()
        return self.settled - before

    async def _batch(self) -> bool:
        """Whether there may be more."""
        with wrapped_errors():
            rows = await self._pool.fetch(sql.load(_PACKAGE, "claims"), BATCH)
        if not rows:
            return False
        recorders = await read_recorders(self._pool)
        before = self.settled
        with wrapped_errors():
            async with self._pool.acquire() as conn, conn.transaction():
                for row in rows:
                    await self._settle(conn, row, recorders)
        return len(rows) == BATCH and self.settled > before

    async def _settle(self, conn: Any, row: asyncpg.Record, recorders: Recorders) -> None:
        segment_id = SegmentId(row["claimed_id"])
        if row["segment_id"] is None:
            await settle_row(conn, segment_id, None, "")
            return
        segment = as_signed(segment_from_row(row), rewrapped=row["rewrapped"])
        flaw, name = row_flaw(segment, recorders), object_name_of(segment)
        state = await settle_row(conn, segment_id, flaw, name)
        self.settled += state is not SegmentState.CONTESTED
        if state is SegmentState.REFUSED:
            self.refused += 1
            self.last_refused = f"{name}: {flaw}"

"""Writes rows of the database into the bucket's journal: what a lost database could not be made again without.

Triggers put a row into the outbox in the transaction that adds or changes it; it leaves the outbox when the bucket has
it. Footage that is sealed to a key waits for neither: it goes to the same bucket, by the same network.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from itertools import groupby
from typing import Final

import asyncpg

from custodian.errors import NotBackedUpError
from domain.errors import StorageError
from domain.time import hour_of
from runtime import sql
from runtime.database import wrapped_errors
from runtime.failpoints import hit
from storage.journal import JournalKind, JournalWriter

_PACKAGE: Final = "custodian"
_BATCH: Final = 2000  # rows in memory at once


class JournalKeeper:
    """``run_once()`` empties the outbox. A record is written before its rows leave; a crash writes it again."""

    def __init__(self, pool: asyncpg.Pool, writer: JournalWriter | None) -> None:
        """``writer``: None where no store is configured; the rows then wait."""
        self._pool, self._writer = pool, writer
        self.waiting = 0  # rows seen in the outbox and not written yet

    @property
    def written(self) -> int:
        """Records since the start."""
        return 0 if self._writer is None else self._writer.written

    async def run_once(self, stop: asyncio.Event) -> None:
        """Until the outbox is empty or ``stop`` is set. Raises the errors of the database and of the store."""
        writer = self._writer
        while writer is not None and not stop.is_set():
            with wrapped_errors():
                rows = await self._pool.fetch(sql.load(_PACKAGE, "journal_waiting"), _BATCH)
            self.waiting = len(rows)
            if not rows:
                return
            for (kind, hour_ns), entries in groupby(rows, lambda row: (row["kind"], hour_of(row["at_ns"]))):
                await self._write(writer, JournalKind(kind), hour_ns, list(entries))
                if stop.is_set():
                    return

    async def all_written(self) -> None:
        """Return once the bucket has all that the outbox held. NotBackedUpError: not now; the database's errors."""
        if self._writer is None:
            return
        try:
            await self.run_once(asyncio.Event())
        except StorageError as exc:
            raise NotBackedUpError(
                "Old keys are not destroyed: the journal in the bucket does not have the new ones yet.",
                "Check that the object store answers.",
            ) from exc

    async def _write(
        self, writer: JournalWriter, kind: JournalKind, hour_ns: int, entries: Sequence[asyncpg.Record]
    ) -> None:
        ids = [entry["entry_id"] for entry in entries]
        await writer.write(kind, hour_ns, [json.loads(entry["entry"]) for entry in entries])
        hit("journal.written")
        with wrapped_errors():
            await self._pool.execute(sql.load(_PACKAGE, "journal_written"), ids)
        hit("journal.taken")
        self.waiting -= len(ids)

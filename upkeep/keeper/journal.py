"""Removes records of the bucket's journal that speak of nothing any more: their footage has ended, certified, long ago.

Otherwise they would pile up for ever. What is recent stays, since an older backup may need to learn what ended since
it was made. Certificates stay, and so do kinds of which there are few (``JournalKind.kept_days``).
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import aclosing
from typing import Final

import asyncpg

from runtime import sql
from runtime.database import wrapped_errors
from runtime.failpoints import hit
from storage.journal import JOURNAL_PREFIX, JournalKind, parse_record_name
from storage.store import ObjectStore

_PACKAGE: Final = "upkeep.keeper"
_AT_ONCE: Final = 5000  # records in a round; the rest in the next one


class JournalOver:
    """``run_once()`` removes, and counts in ``removed``."""

    def __init__(self, pool: asyncpg.Pool, store: ObjectStore, *, clock_ns: Callable[[], int]) -> None:
        """``store``: of the keeper's user."""
        self._pool, self._store, self._clock_ns = pool, store, clock_ns
        self.removed = 0

    async def run_once(self) -> int:
        """Remove what is over, the oldest first; how many records. Raises the errors of database and store."""
        before = self.removed
        for kind in JournalKind:
            if kind.kept_days is None:
                continue
            with wrapped_errors():
                over_ns = await self._pool.fetchval(
                    sql.load(_PACKAGE, "journal_over"), self._clock_ns(), kind.kept_days
                )
            await self._kind(kind, over_ns, before + _AT_ONCE)
        return self.removed - before

    async def _kind(self, kind: JournalKind, over_ns: int, most: int) -> None:
        # Names of a kind begin with the hour, and a store lists in the order of names.
        async with aclosing(self._store.list(f"{JOURNAL_PREFIX}{kind}/")) as infos:
            async for info in infos:
                name = parse_record_name(info.name)
                if name is None:
                    continue  # no role of ours wrote it: a rebuild reports it
                if name.hour_ns >= over_ns or self.removed >= most:
                    return
                await self._store.delete(info.name)
                hit("keeper.record")
                self.removed += 1

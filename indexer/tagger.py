"""Joins events and segments from the outbox. Several taggers may run side by side.

Why no pair is missed: an event or segment and its outbox row are committed together, and the row is taken by a later
transaction. Of two that overlap, the one whose row is joined later finds the other already committed. The outbox has no
high-water mark, so that numbers which commit out of order, or never, do not matter.

Why no tag stays in force that should not: what takes tags out of force (an event withdrawn, a segment shadowed, expired
or lost, a mapping ended at or before an event's time) runs alone, under the exclusive side of a lock of which every
other join holds the shared side. A join that still saw the old state has therefore ended, and its tags are seen; a join
that begins later sees the new state. Code that changes a segment's state writes an outbox row with it, in one
transaction; code that changes mappings writes those of the events concerned after it, and again at the next look.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import asyncpg

from indexer.counters import Counters
from runtime import failpoints, sql
from runtime.database import wrapped_errors

_PACKAGE: Final = "indexer"
BATCH: Final = 1000
POLL_S: Final = 0.05
LINGER_S: Final = 0.01
"""A transaction costs much more than a row: woken, it waits a little for what comes next."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Joined:
    """What one transaction did."""

    taken: int  # outbox rows
    written: int  # tags new or in force again
    superseded: int


class Tagger:
    """well: called after every transaction that passed."""

    def __init__(
        self,
        pool: asyncpg.Pool,
        counters: Counters,
        *,
        clock_ns: Callable[[], int],
        batch: int = BATCH,
        well: Callable[[], None] = lambda: None,
    ) -> None:
        self._pool = pool
        self._counters = counters
        self._clock_ns = clock_ns
        self._batch = batch
        self._well = well
        self._woken = asyncio.Event()

    def wake(self) -> None:
        """There is something in the outbox; otherwise it is looked into every 50 ms."""
        self._woken.set()

    async def run_once(self, stop: asyncio.Event) -> None:
        """Join until ``stop``. Raises the database errors; what was not committed is joined again."""
        with wrapped_errors():
            async with self._pool.acquire() as conn:
                while not stop.is_set():
                    joined = await self._join(conn)
                    if joined.taken < self._batch:
                        await self._rest()

    async def join(self) -> Joined:
        """One transaction."""
        with wrapped_errors():
            async with self._pool.acquire() as conn:
                return await self._join(conn)

    async def _join(self, conn: asyncpg.Connection) -> Joined:
        async with conn.transaction():
            joined = await join(conn, self._batch, self._clock_ns())
        self._well()
        self._counters.joined += joined.taken
        self._counters.tags += joined.written
        self._counters.superseded += joined.superseded
        return joined

    async def _rest(self) -> None:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._woken.wait(), POLL_S)
            await asyncio.sleep(LINGER_S)
        self._woken.clear()


async def join(conn: asyncpg.Connection, batch: int, now_ns: int) -> Joined:
    """In the caller's transaction, which must be READ COMMITTED: each step sees what is committed by then."""
    rows = await conn.fetch(sql.load(_PACKAGE, "outbox_take"), batch)
    if not rows:
        return Joined(taken=0, written=0, superseded=0)
    events = [row["ref"] for row in rows if row["kind"] == "event"]
    segments = [row["ref"] for row in rows if row["kind"] == "segment"]
    alone = await conn.fetchval(sql.load(_PACKAGE, "tags_to_end"), events, segments, now_ns)
    await conn.execute(sql.load(_PACKAGE, "tag_lock_alone" if alone else "tag_lock_shared"))
    failpoints.hit("tagger.taken")
    superseded = 0
    if alone:
        superseded = _count(await conn.execute(sql.load(_PACKAGE, "tags_end"), events, segments, now_ns))
    written = _count(await conn.execute(sql.load(_PACKAGE, "tags_add"), events, segments))
    failpoints.hit("tagger.joined")
    return Joined(taken=len(rows), written=written, superseded=superseded)


def _count(command: str) -> int:
    """``INSERT 0 5``, ``UPDATE 5``."""
    return int(command.rpartition(" ")[2])

"""Removes the objects and rows of dead hour keys, then whole days.

Objects first, then rows: a crash between leaves rows that name what may still be there, and deleting an object twice
does no harm. An object is never removed by its own age, only by a row that the custodian's certificate covers.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import asyncpg

from domain.ids import CameraId, HourKeyId, SegmentId, SiteId
from domain.time import day_name
from runtime import sql
from runtime.database import wrapped_errors
from runtime.errors import DatabaseAwayError
from runtime.failpoints import hit
from storage.sealed import object_name
from storage.store import ObjectStore

_PACKAGE: Final = "upkeep.keeper"
_KEYS: Final = 100
_SEGMENTS: Final = 1000
_AT_ONCE: Final = 8
_ROUND_S: Final = 60.0
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Backlog:
    """What is dead and still here."""

    camera_hours: int
    segments: int
    since_ns: int | None


class Removal:
    """``run_once()`` works for a minute at most, so that the role's other tasks are seen to go on."""

    def __init__(self, pool: asyncpg.Pool, store: ObjectStore, *, clock_ns: Callable[[], int]) -> None:
        self._pool, self._store, self._clock_ns = pool, store, clock_ns
        self._gate = asyncio.Semaphore(_AT_ONCE)
        self.removed_segments = 0
        self.dropped_days = 0
        self.backlog = Backlog(camera_hours=0, segments=0, since_ns=None)

    async def run_once(self) -> int:
        """Remove what is there to remove; how many segments. Raises the errors of database and store: try again."""
        before, started_s = self.removed_segments, time.monotonic()
        while time.monotonic() - started_s < _ROUND_S:
            with wrapped_errors():
                keys = await self._pool.fetch(sql.load(_PACKAGE, "to_remove"), _KEYS)
            if not keys:
                break
            for key in keys:
                await self._key(key)
        await self._days()
        await self._count()
        return self.removed_segments - before

    async def _key(self, key: asyncpg.Record) -> None:
        done = False
        while not done:
            with wrapped_errors():
                found = await self._pool.fetch(
                    sql.load(_PACKAGE, "objects_of_key"),
                    key["hour_key_id"],
                    key["camera_id"],
                    key["hour_ns"],
                    _SEGMENTS,
                )
            await self._delete(key, found)
            hit("keeper.objects")
            done = await self._rows(HourKeyId(key["hour_key_id"]), [SegmentId(row["segment_id"]) for row in found])
            hit("keeper.rows")
            self.removed_segments += len(found)

    async def _delete(self, key: asyncpg.Record, rows: Sequence[asyncpg.Record]) -> None:
        # Gathered, not grouped: the first error is raised as itself, for the supervisor to know it.
        tasks = [asyncio.create_task(self._delete_one(key, row)) for row in rows]
        try:
            await asyncio.gather(*tasks)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _delete_one(self, key: asyncpg.Record, row: asyncpg.Record) -> None:
        name = object_name(
            site_id=SiteId(key["site_id"]),
            camera_id=CameraId(key["camera_id"]),
            segment_id=SegmentId(row["segment_id"]),
            start_ns=row["start_ns"],
        )
        async with self._gate:
            await self._store.delete(name)
        hit("keeper.object")

    async def _rows(self, hour_key_id: HourKeyId, segment_ids: Sequence[SegmentId]) -> bool:
        with wrapped_errors():
            return bool(
                await self._pool.fetchval(
                    sql.load(_PACKAGE, "removed"), hour_key_id, list(segment_ids), self._clock_ns()
                )
            )

    async def _days(self) -> None:
        now_ns = self._clock_ns()
        with wrapped_errors():
            rows = await self._pool.fetch(sql.load(_PACKAGE, "days_over"), now_ns)
        for row in rows:
            try:
                with wrapped_errors():
                    dropped = await self._pool.fetchval(sql.load(_PACKAGE, "drop_day"), row["day_ns"], now_ns)
            except DatabaseAwayError as exc:
                _log.info("the day %s is in use, and is dropped later: %s", day_name(row["day_ns"]), exc)
                continue
            hit("keeper.day")
            self.dropped_days += bool(dropped)

    async def _count(self) -> None:
        with wrapped_errors():
            row = await self._pool.fetchrow(sql.load(_PACKAGE, "backlog"))
        self.backlog = Backlog(**row)

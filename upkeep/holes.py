"""Time of a camera that neither footage nor a gap accounts for: found, and filled with a gap that says so."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Final

import asyncpg

from domain.ids import CameraId
from domain.time import DAY_NS, Span
from runtime import sql
from runtime.database import wrapped_errors
from runtime.failpoints import hit

_PACKAGE: Final = "upkeep"


@dataclass(slots=True, kw_only=True)
class LostTime:
    """How much time nothing accounts for."""

    holes: int = 0
    duration_ns: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class _Hole:
    """A span of one camera; longer ones come in pieces of a UTC day."""

    camera_id: CameraId
    span: Span


async def find_lost_time(pool: asyncpg.Pool, before_ns: int, *, repair: bool) -> LostTime:
    """``repair``: it becomes gaps. Raises the database errors."""
    lost = LostTime()
    async for hole in _holes(pool, before_ns):
        lost.holes += 1
        lost.duration_ns += hole.span.duration_ns
        if repair:
            await _fill(pool, hole)
    return lost


async def _holes(pool: asyncpg.Pool, before_ns: int) -> AsyncIterator[_Hole]:
    """Between the first and the last thing known of a camera, and before ``before_ns``: what is later may yet come."""
    with wrapped_errors():
        rows = await pool.fetch(sql.load(_PACKAGE, "accounted_cameras"))
    for row in rows:
        end_ns = min(row["end_ns"], before_ns)
        start_ns = row["start_ns"]
        while start_ns < end_ns:
            past_ns = min(end_ns, start_ns - start_ns % DAY_NS + DAY_NS)
            with wrapped_errors():
                holes = await pool.fetch(sql.load(_PACKAGE, "holes"), row["camera_id"], start_ns, past_ns)
            for hole in holes:
                yield _Hole(camera_id=CameraId(row["camera_id"]), span=Span(hole["start_ns"], hole["end_ns"]))
            start_ns = past_ns


async def _fill(pool: asyncpg.Pool, hole: _Hole) -> None:
    """A gap takes what is still unaccounted for. Footage that comes later takes the gap's place."""
    with wrapped_errors():
        async with pool.acquire() as conn, conn.transaction():
            await conn.execute(sql.load(_PACKAGE, "camera_lock"), hole.camera_id)
            await conn.execute(sql.load(_PACKAGE, "fill_hole"), hole.camera_id, hole.span.start_ns, hole.span.end_ns)
            hit("holes.filled")

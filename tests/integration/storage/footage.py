"""Recorded footage to look at, and somebody who tampers with it."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import asyncpg

from domain.footage import Segment
from domain.time import NS, Span
from runtime.database import open_pool
from runtime.settings import StoreSettings
from storage.catalogue.rows import segment_from_row
from storage.sealed import object_name_of
from storage.store import ObjectStore, open_store
from tests.conftest import Database
from tests.support.footage.custodian import until
from tests.support.processes.killed_recorder import Scene, Stage, stage


@dataclass(kw_only=True)
class Footage:
    """Two cameras' footage in a real database and store, opened by a real custodian."""

    stage: Stage
    scene: Scene
    serve: asyncpg.Pool
    keeper: ObjectStore  # as the only user that may delete

    @property
    def span(self) -> Span:
        return Span(self.scene.start_ns - NS, self.scene.start_ns + 3600 * NS)

    async def segments(self) -> list[Segment]:
        rows = await self.stage.owner.fetch("SELECT * FROM segment ORDER BY start_ns, segment_id")
        return [segment_from_row(row) for row in rows]

    async def data(self, segment: Segment) -> bytes:
        return await self.stage.objects.get_range(object_name_of(segment), 0, segment.size_bytes)

    async def overwrite(self, segment: Segment, change: Callable[[bytearray], Any]) -> bytes:
        """As somebody with the bucket's credentials can."""
        data = bytearray(await self.data(segment))
        data = change(data) or data
        await self.delete(segment)
        await self.put(object_name_of(segment), bytes(data))
        return bytes(data)

    async def delete(self, segment: Segment) -> None:
        await self.keeper.delete(object_name_of(segment))

    async def put(self, name: str, data: bytes) -> None:
        await self.stage.objects.put_new(name, data, size_bytes=len(data), sha256=hashlib.sha256(data).digest())

    async def change(self, segment: Segment, column: str, value: Any) -> None:
        """As somebody with the owner's role can."""
        await self.stage.owner.execute(
            f"UPDATE segment SET {column} = $3 WHERE start_ns = $1 AND segment_id = $2",
            segment.span.start_ns,
            segment.segment_id,
            value,
        )


@asynccontextmanager
async def footage(
    database: Database,
    store: StoreSettings,
    keeper_store: StoreSettings,
    directory: Path,
    *,
    crash: bool = True,
    segments: int = 7,
) -> AsyncIterator[Footage]:
    async with (
        stage(database, store, directory) as made,
        open_pool(database.serve, application_name="test") as serve,
        open_store(keeper_store) as keeper,
    ):
        scene = await made.scene()
        if crash:
            assert await scene.killed("spool.append.chunks=kill@16")
        assert await scene.run(segments=segments, drain_s=20.0) == 0
        await until(made.settled)
        yield Footage(stage=made, scene=scene, serve=serve, keeper=keeper)


def but_epochs(segments: Sequence[Segment]) -> list[Segment]:
    """To compare restored rows: one that was committed before the lease is of epoch 1, and restored of the lease's.

    Which of both comes first depends on the machine.
    """
    return [replace(segment, epoch=0) for segment in segments]


def turn(bit: int) -> Callable[[bytearray], None]:
    """Flip one bit; from the end when negative."""

    def change(data: bytearray) -> None:
        data[bit // 8] ^= 1 << bit % 8

    return change

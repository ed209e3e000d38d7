"""Writes one set: its head, the copy of the database, then its log, round after round.

A crash at any step leaves either a set without ``base``, which is removed, or one to which the next round adds.
"""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from typing import Final

import asyncpg

from runtime import sql
from runtime.database import connect, wrapped_errors
from runtime.failpoints import hit
from storage.backup.errors import BackupExistsError, LogGoneError
from storage.backup.place import BackupPlace
from storage.backup.recovery import WritingKeys
from storage.backup.sealing import open_part, pack_head, seal_part
from upkeep.backup.cluster import PART_BYTES, Packer
from upkeep.backup.files import changes
from upkeep.backup.parts import BASE, FORMAT, HEAD, Base, LogPart, base_part, log_part, new_set_id
from upkeep.backup.settings import BackupSource
from upkeep.backup.state import SetState
from upkeep.backup.wal import Wal

_PACKAGE: Final = "upkeep.backup"
SLOT: Final = "tallenne_backup"
Progress = Callable[[str, int], None]
"""What is being written, and how many bytes of it so far."""


def new_set(clock_ns: Callable[[], int] = time.time_ns) -> SetState:
    """Nothing of it is written yet."""
    now_ns = clock_ns()
    return SetState(set_id=new_set_id(now_ns), set_key=os.urandom(32).hex(), created_ns=now_ns)


class SetWriter:
    """Writes ``state`` forth; the caller saves it after each call."""

    def __init__(
        self,
        place: BackupPlace,
        source: BackupSource,
        state: SetState,
        *,
        clock_ns: Callable[[], int] = time.time_ns,
        progress: Progress = lambda _, __: None,
    ) -> None:
        self._place, self._source, self.state = place, source, state
        self._clock_ns, self._progress = clock_ns, progress
        self.unread: list[str] = []  # files that could not be read in the last round

    async def begin(self, keys: WritingKeys, conn: asyncpg.Connection | None) -> None:
        """Head, copy and the log that makes it whole. ``conn``: of the owner, whose slot keeps the log; None: no
        database. Errors of the place and of the database: give the set up then."""
        state = self.state
        await self._place.prepare()
        await self._place.put(f"{state.set_id}/{HEAD}", pack_head(state.set_id, state.created_ns, state.key, keys))
        hit("backup.head")
        base = Base(format=FORMAT, at_ns=self._clock_ns(), parts=0) if conn is None else await self._copy(conn)
        state.position, state.stop, state.last_ns = base.start, base.stop, base.at_ns
        await self._put(BASE, base.pack())
        hit("backup.base")
        await self.log(conn)
        state.complete = True

    async def _copy(self, conn: asyncpg.Connection) -> Base:
        packer, at_ns = Packer(), self._clock_ns()
        with wrapped_errors():
            place = await conn.fetchrow(sql.load(_PACKAGE, "log_place"))
            start = await conn.fetchval(sql.load(_PACKAGE, "begin_base"), self.state.set_id)
        number = await self._parts(packer.cluster(self._source.cluster), packer, 0)
        with wrapped_errors():
            end = await conn.fetchrow(sql.load(_PACKAGE, "end_base"))
        hit("backup.copied")
        number = await self._parts(packer.last(end["label"]), packer, number)
        return Base(
            format=FORMAT,
            at_ns=at_ns,
            parts=number,
            files=packer.files,
            size_bytes=packer.size_bytes,
            major=place["major"],
            timeline=place["timeline"],
            segment_bytes=place["segment_bytes"],
            start=start - start % place["segment_bytes"],  # the server reads the first page of each file
            stop=end["stop"],
        )

    async def _parts(self, parts: Iterator[bytes], packer: Packer, number: int) -> int:
        while (part := await asyncio.to_thread(next, parts, None)) is not None:
            await self._put(base_part(number), part)
            self._progress("database", packer.size_bytes)
            hit("backup.part")
            number += 1
        return number

    async def log(self, conn: asyncpg.Connection | None) -> None:
        """Send what was committed until now, and the files that changed. Errors as of ``begin()``; call it again.

        LogGoneError: the server no longer has the log: a new set must begin.
        """
        at_ns, end, wal = self._clock_ns(), 0, None
        if conn is not None:
            with wrapped_errors():
                await conn.execute(sql.load(_PACKAGE, "mark"))
                end = await conn.fetchval(sql.load(_PACKAGE, "flushed"))
                place = await conn.fetchrow(sql.load(_PACKAGE, "log_place"))
            wal = Wal(
                directory=self._source.cluster / "pg_wal",
                timeline=place["timeline"],
                segment_bytes=place["segment_bytes"],
            )
        state = self.state
        while not state.number or state.position < end or state.last_ns < at_ns:
            await self._send(
                wal, min(end, state.position + PART_BYTES), at_ns if state.position + PART_BYTES >= end else 0
            )

    async def _send(self, wal: Wal | None, end: int, at_ns: int) -> None:
        """One part. ``at_ns``: 0 when more follows."""
        state = self.state
        start = state.position
        data = b"" if wal is None else await asyncio.to_thread(wal.read, start, end)
        changed = await asyncio.to_thread(changes, self._source.files, state.sent)
        self.unread = changed.unread
        part = LogPart(at_ns=at_ns or state.last_ns, start=start, wal=data, files=tuple(changed.found))
        packed = await asyncio.to_thread(part.pack)
        try:
            await self._put(log_part(state.number), packed)
            state.sent = changed.holds
        except BackupExistsError:
            part = await self._written(state.number)  # before a crash, or an answer that was lost
            state.sent = {}  # which files it holds is not known: all are sent again
        hit("backup.log")
        state.number += 1
        state.position, state.last_ns = part.end, max(state.last_ns, part.at_ns)
        self._progress("log", state.position)

    async def _written(self, number: int) -> LogPart:
        name = log_part(number)
        part = LogPart.unpack(open_part(name, await self._place.get(f"{self.state.set_id}/{name}"), self.state.key))
        if part.start != self.state.position:
            raise LogGoneError(f"The part {name} does not follow the one before.", "A new set begins.")
        return part

    async def _put(self, name: str, plain: bytes) -> None:
        sealed = await asyncio.to_thread(seal_part, name, plain, self.state.key)
        await self._place.put(f"{self.state.set_id}/{name}", sealed)


async def forget_slot(conn: asyncpg.Connection) -> None:
    """Where no backups are configured any more: the server would keep its log for them. The database's errors."""
    with wrapped_errors():
        await conn.execute(sql.load(_PACKAGE, "forget_slot"), SLOT)


@asynccontextmanager
async def by_hand(source: BackupSource) -> AsyncIterator[asyncpg.Connection | None]:
    """A connection for one set from beginning to end, whose slot ends with it; None without a database."""
    if source.database is None:
        yield None
        return
    conn = await connect(source.database, application_name="backup", statement_timeout_s=0)
    try:
        with wrapped_errors():
            await conn.execute(sql.load(_PACKAGE, "make_slot"), f"{SLOT}_{os.getpid()}", True)
        yield conn
    finally:
        await conn.close()

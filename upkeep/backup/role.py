"""The role `backup`: a new copy each day, the log every two minutes, old sets removed. It writes, and can open nothing.

The newest set goes on getting the log while the next one is copied, so that no more is ever lost than one round.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any, Final

import asyncpg

from domain.errors import RetryableError, StorageError
from domain.time import HOUR_NS
from runtime import sql
from runtime.database import connect, wrapped_errors
from runtime.locks import FileLock
from runtime.pause import pause
from runtime.private_files import private_directory
from runtime.problems import Problems
from runtime.status import StatusFile
from runtime.supervise import supervised
from storage.backup.errors import BackupPlaceError, LogGoneError, UnreadFilesError
from storage.backup.place import BackupBucket, BackupDirectory, BackupPlace
from storage.store import open_store
from upkeep.backup.drills import newest_drill
from upkeep.backup.keep import Kept, keep
from upkeep.backup.replica import Replica
from upkeep.backup.settings import BackupPlaceSettings, BackupSettings
from upkeep.backup.state import BackupState, SetState, read_keys
from upkeep.backup.writer import SLOT, SetWriter, new_set

_PACKAGE: Final = "upkeep.backup"
LOOK_EVERY_S: Final = 10.0
KEEP_EVERY_S: Final = 3600.0
REPLICA_EVERY_S: Final = 30.0
_RESTART: Final = "A file that was replaced is seen after a restart: stop `tallenne up` and start it."
HAND_LOCK: Final = "by-hand.lock"
_log = logging.getLogger(__name__)


@asynccontextmanager
async def open_place(settings: BackupPlaceSettings) -> AsyncIterator[BackupPlace]:
    """The directory, or the bucket."""
    if settings.store is None:
        assert settings.directory is not None
        yield BackupDirectory(settings.directory)
        return
    async with open_store(settings.store, connections=2, range_connections=2) as store:
        yield BackupBucket(store)


@asynccontextmanager
async def _replica(settings: BackupSettings) -> AsyncIterator[Replica | None]:
    if settings.replica is None or settings.footage is None:
        yield None
        return
    async with (
        open_store(settings.footage, connections=2, range_connections=2) as source,
        open_store(settings.replica, connections=2, range_connections=1) as target,
    ):
        yield Replica(source, target, settings.retention_ns, clock_ns=time.time_ns)


def hand_lock(settings: BackupSettings) -> FileLock:
    """Held while a backup is made by hand: its set is not whole yet. BackupPlaceError for the second."""
    return FileLock(
        settings.directory / HAND_LOCK,
        lambda holder: BackupPlaceError(f"Another backup is being made ({holder}).", "Wait for it."),
    )


class Backups:
    """The role's work. Counters are for its status file."""

    def __init__(self, settings: BackupSettings, place: BackupPlace, *, clock_ns: Callable[[], int]) -> None:
        self._settings, self._place, self._clock_ns = settings, place, clock_ns
        self._state = BackupState.load(settings.directory)
        self._state.coming = None  # of a process that is gone: keep_once() removes what there is of it
        self._using = asyncio.Lock()  # of the newest set
        self.kept = Kept()
        self.unread: list[str] = []  # files that could not be read in the last round
        self._since_ns = clock_ns()

    @property
    def newest(self) -> SetState | None:
        """The set that gets the log."""
        return self._state.current

    async def log_once(self) -> None:
        """Send the log to the newest set. Errors of place and database."""
        async with self._using:
            current = self._state.current
            if current is None:
                return
            async with self._connection() as conn:
                try:
                    if conn is not None:
                        await self._slot(conn)
                    writer = self._writer(current)
                    await writer.log(conn)
                    self.unread = writer.unread
                except LogGoneError as error:
                    _log.error("the newest set cannot be continued: %s", error)
                    self._state.current = None
                    self._save()
                    raise
                self._save()
                if conn is not None:
                    await self._advance(conn)

    async def base_once(self) -> bool:
        """Make a new set when it is time to; whether one was made. Errors of place and database."""
        current, now_ns = self._state.current, self._clock_ns()
        if current is not None and now_ns - current.created_ns < self._settings.periods.base_h * HOUR_NS:
            return False
        keys = read_keys(self._settings.directory)
        coming = self._state.coming = new_set(self._clock_ns)
        self._save()
        async with self._connection(statement_timeout_s=0) as conn:
            if conn is not None:
                await self._make_slot(conn)
            await self._writer(coming).begin(keys, conn)
        async with self._using:
            self._state.current, self._state.coming = coming, None
            self._save()
        await self.keep_once()  # and count what there is now: the status would say "0 sets" until the next round
        return True

    async def keep_once(self) -> None:
        """Remove what is over, and count what there is. Errors of the place.

        BackupPlaceError: the place lacks something of the newest set. A restoration would end with an older one: a
        new set begins.
        """
        newest = self._state.current
        parts = newest.number if newest else 0
        await self._keep()
        if newest is None or self.kept.parts.get(newest.set_id, 0) >= parts:
            return
        async with self._using:
            if self._state.current is newest:
                self._state.current = None
                self._save()
        raise BackupPlaceError(
            f"The place lacks parts of the newest set {newest.set_id}: they were removed. A new set begins.",
            "Find out who may delete there, and what else is missing: `tallenne restore --list`.",
        )

    async def _keep(self) -> None:
        writing = [one.set_id for one in (self._state.current, self._state.coming) if one is not None]
        lock = hand_lock(self._settings)
        try:
            lock.acquire()
            free = True
        except BackupPlaceError:
            free = False
        try:
            self.kept = await keep(
                self._place,
                now_ns=self._clock_ns(),
                keep_d=self._settings.periods.keep_d,
                writing=writing,
                halves_before_ns=self._clock_ns() if free else 0,
            )
        finally:
            lock.release()

    def report(self) -> dict[str, Any]:
        """For the status file. Times are UTC Unix nanoseconds; 0: never."""
        current = self._state.current
        return {
            "last_ns": current.last_ns if current else 0,
            "base_ns": current.created_ns if current else 0,
            "set": current.set_id if current else "",
            "since_ns": self._since_ns,
            "base_h": self._settings.periods.base_h,
            "drill_d": self._settings.periods.drill_d,
            **newest_drill(self._settings.directory),
            "copying": self._state.coming is not None,
            "sets": self.kept.sets,
            "oldest_ns": self.kept.oldest_ns,
        }

    def _writer(self, state: SetState) -> SetWriter:
        return SetWriter(self._place, self._settings.source, state, clock_ns=self._clock_ns)

    def _save(self) -> None:
        self._state.save(self._settings.directory)

    @asynccontextmanager
    async def _connection(self, *, statement_timeout_s: float = 30.0) -> AsyncIterator[asyncpg.Connection | None]:
        database = self._settings.source.database
        if database is None:
            yield None
            return
        conn = await connect(database, application_name="backup", statement_timeout_s=statement_timeout_s)
        try:
            yield conn
        finally:
            await conn.close()

    async def _slot(self, conn: asyncpg.Connection) -> None:
        """LogGoneError when the server no longer keeps what the newest set needs."""
        with wrapped_errors():
            slot = await conn.fetchrow(sql.load(_PACKAGE, "slot"), SLOT)
        if slot is None or slot["wal_status"] == "lost":
            raise LogGoneError("The database's log since the last backup is gone.", "A new copy is taken.")

    async def _make_slot(self, conn: asyncpg.Connection) -> None:
        with wrapped_errors():
            slot = await conn.fetchrow(sql.load(_PACKAGE, "slot"), SLOT)
            if slot is not None and slot["wal_status"] == "lost":
                await conn.execute(sql.load(_PACKAGE, "drop_slot"), SLOT)
                slot = None
            if slot is None:
                await conn.execute(sql.load(_PACKAGE, "make_slot"), SLOT, False)

    async def _advance(self, conn: asyncpg.Connection) -> None:
        """The server may drop what every set has; while one is copied it keeps all that the copy needs."""
        if self._state.coming is None and self._state.current is not None:
            with wrapped_errors():
                await conn.execute(sql.load(_PACKAGE, "advance_slot"), SLOT, self._state.current.position)


async def run(settings: BackupSettings, stop: asyncio.Event) -> None:
    """Until ``stop``. Ready at once: no role waits for it. Without a recovery key it says so, and waits for one."""
    private_directory(settings.directory)
    async with open_place(settings.place) as place, _replica(settings) as replica:
        backups = Backups(settings, place, clock_ns=time.time_ns)
        file, problems = StatusFile(settings.run_directory, "backup"), Problems()

        async def write() -> None:
            """Write the status file."""
            unread = ", ".join(backups.unread[:5])
            problems.set("files", UnreadFilesError(f"Not in the backup: {unread}.", _RESTART) if unread else None)
            present = problems.present()
            file.write(
                "degraded" if present else "ready",
                problems=present,
                **backups.report(),
                replica=replica.report() if replica else None,
            )

        async def bases() -> None:
            """A copy may take hours: no round with a limit."""
            await backups.base_once()
            await pause(stop, LOOK_EVERY_S)

        async def replicate() -> None:
            """A first copy may take days."""
            assert replica is not None
            await replica.run_once()
            await pause(stop, REPLICA_EVERY_S)

        expected = (RetryableError, StorageError, OSError)
        async with supervised(problems) as tasks:
            tasks.every(file.period_s, "status", write)
            tasks.forever("base copy", bases, expected=expected, longest_s=300.0)
            tasks.every(settings.periods.every_s, "log", backups.log_once, expected=expected, drain=True)
            tasks.every(KEEP_EVERY_S, "old sets", backups.keep_once, expected=expected)
            if replica is not None:
                tasks.forever("replica", replicate, expected=expected, longest_s=300.0)
            await stop.wait()
        file.remove()

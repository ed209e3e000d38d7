"""Backups of a real cluster: what was committed comes back, to the byte, from copy and log."""

from __future__ import annotations

import asyncio
import hashlib
import time
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from domain.time import HOUR_NS
from pipeline.embedded.accounts import ROLES
from pipeline.embedded.postgres import Postgres, start_postgres
from pipeline.embedded.provision import provision
from runtime.database import connect
from runtime.private_files import private_directory
from runtime.settings import DatabaseSettings, StoreSettings
from storage.backup import BackupBucket, BackupDirectory, BackupPlace, RecoveryKey
from storage.catalogue.migrate import migrate
from storage.store import open_store
from upkeep.backup.compare import moment_of, tables_of
from upkeep.backup.keep import remove
from upkeep.backup.reader import Opened, SetReader, furthest, key_of, list_sets
from upkeep.backup.replica import Replica
from upkeep.backup.role import Backups
from upkeep.backup.settings import BackupPeriods, BackupPlaceSettings, BackupSettings, BackupSource
from upkeep.backup.state import BackupState, write_keys
from upkeep.backup.writer import SLOT, SetWriter, by_hand, forget_slot, new_set

pytestmark = pytest.mark.services

KEY = RecoveryKey(bytes(range(32)))
ALL_MEMBERS = "SELECT * FROM member ORDER BY member_id"
MEMBERS = "INSERT INTO member SELECT gen_random_uuid(), $1, false FROM generate_series(1, $2)"


class Clock:
    def __init__(self) -> None:
        self.ahead_ns = 0

    def __call__(self) -> int:
        return time.time_ns() + self.ahead_ns


class Gym:
    """A cluster, a place for backups beside it, and what the role works with."""

    def __init__(self, root: Path, cluster: Postgres, conn: asyncpg.Connection) -> None:
        self.root, self.cluster, self.conn, self.clock = root, cluster, conn, Clock()
        self.place: BackupPlace = BackupDirectory(root / "place")
        (root / "file").write_text("first")
        self.source = BackupSource(
            database=self.settings, cluster=root / "pg" / "cluster", files={"data/postgres/owner.secret": self.secret}
        )
        self.directory = private_directory(root / "backup")
        write_keys(self.directory, KEY.writing())

    @property
    def settings(self) -> DatabaseSettings:
        return self.cluster.settings(database="tallenne")

    @property
    def secret(self) -> Path:
        return self.root / "pg" / "owner.secret"

    def backups(self) -> Backups:
        """As after a start of the role."""
        settings = BackupSettings(
            source=self.source,
            place=BackupPlaceSettings(directory=self.root / "place"),
            directory=self.directory,
            run_directory=self.root,
            periods=BackupPeriods(),
        )
        return Backups(settings, self.place, clock_ns=self.clock)

    async def backups_ahead(self, ahead_ns: int) -> None:
        """One more round of the log, by a clock that is ahead."""
        self.clock.ahead_ns = ahead_ns
        await self.backups().log_once()

    async def add(self, count: int = 100) -> None:
        await self.conn.execute(MEMBERS, time.time_ns(), count)

    async def members(self) -> list[Any]:
        return await self.conn.fetch(ALL_MEMBERS)

    async def restored(self, name: str = "restored", statement: str = ALL_MEMBERS) -> tuple[Opened, list[Any]]:
        """The set that reaches furthest, in a directory of its own: what it says, and rows of it."""
        into = private_directory(self.root / name)
        listing = await furthest(self.place, KEY)
        reader = SetReader(self.place, listing, await key_of(self.place, listing.set_id, KEY))
        opened = await reader.open(private_directory(into / "cluster"))
        opened.tree.write("data/postgres", into)
        copy = await asyncio.to_thread(start_postgres, into, log=into / "log")
        try:
            conn = await connect(copy.settings(database="tallenne"))
            try:
                return opened, await conn.fetch(statement)
            finally:
                await conn.close()
        finally:
            copy.stop()


@asynccontextmanager
async def gym(root: Path) -> AsyncIterator[Gym]:
    cluster = await asyncio.to_thread(start_postgres, root / "pg", log=root / "log", durable=False)
    try:
        await provision(cluster.settings(), dict.fromkeys(ROLES, "word"))
        await migrate(cluster.settings(database="tallenne"))
        conn = await connect(cluster.settings(database="tallenne"))
        try:
            yield Gym(root, cluster, conn)
        finally:
            await conn.close()
    finally:
        cluster.stop()


async def test_set_by_hand_holds_everything_until_its_end(tmp_path: Path) -> None:
    async with gym(tmp_path) as now:
        await now.add()
        state = new_set()
        async with by_hand(now.source) as conn:
            await SetWriter(now.place, now.source, state).begin(KEY.writing(), conn)
        then = await now.members()
        await now.add()
        opened, members = await now.restored()
        assert members == then
        assert opened.at_ns == state.last_ns
        assert await now.conn.fetchval("SELECT count(*) FROM pg_replication_slots") == 0


async def test_role_loses_no_more_than_one_round(tmp_path: Path) -> None:
    async with gym(tmp_path) as now:
        backups = now.backups()
        assert await backups.base_once()
        assert not await backups.base_once()
        for count in (10, 3000, 1):
            await now.add(count)
            await backups.log_once()
        then = await now.members()
        await now.add(7)
        opened, members = await now.restored()
        assert members == then
        assert backups.newest is not None
        assert opened.at_ns == backups.newest.last_ns


async def test_log_goes_on_into_the_old_set_while_the_new_one_is_copied(tmp_path: Path) -> None:
    async with gym(tmp_path) as now:
        backups = now.backups()
        await backups.base_once()
        first = backups.newest
        assert first is not None
        now.clock.ahead_ns = 25 * HOUR_NS
        await now.add()
        copying = asyncio.create_task(backups.base_once())
        rounds = 0
        while not copying.done():
            await now.add(1)
            await backups.log_once()
            rounds += 1
        assert await copying
        assert rounds
        assert first.number >= rounds
        await now.add()
        await backups.log_once()
        assert backups.newest is not None
        assert backups.newest.set_id != first.set_id
        then = await now.members()
        assert (await now.restored())[1] == then


async def test_bucket_keeps_a_set_as_a_directory_does(
    tmp_path: Path, store: StoreSettings, keeper_store: StoreSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """``keeper_store``: of the embedded store's only user that may delete, and may do nothing else."""
    async with gym(tmp_path) as now, open_store(store) as bucket, open_store(keeper_store) as deleting:
        monkeypatch.setattr(bucket, "delete", deleting.delete)
        now.place = BackupBucket(bucket)
        backups = now.backups()
        await backups.base_once()
        await now.add()
        await backups.log_once()
        then = await now.members()
        assert (await now.restored())[1] == then
        (listing,) = await list_sets(now.place)
        await remove(now.place, listing)
        assert await now.place.names() == []


async def test_second_bucket_gets_what_the_first_has(store: StoreSettings) -> None:
    async with open_store(store) as first, open_store(replace(store, bucket=f"{store.bucket}-copy")) as second:
        await first.ensure_bucket()
        names = [f"heads/{number}" for number in range(1200)]  # more than a page of a list
        for name in names:
            await first.put_new(name, b"x", size_bytes=1, sha256=hashlib.sha256(b"x").digest())
        replica = Replica(first, second, {}, clock_ns=time.time_ns)
        await replica.run_once()
        assert [info.name async for info in second.list("heads/")] == sorted(names)
        await replica.run_once()
        assert replica.report()["copied"] == 0
        assert replica.report()["objects"] == len(names)


async def test_restarted_role_goes_on_and_removes_what_it_had_half_written(tmp_path: Path) -> None:
    async with gym(tmp_path) as now:
        backups = now.backups()
        await backups.base_once()
        state = BackupState.load(now.directory)
        state.coming = new_set()
        await now.place.put(f"{state.coming.set_id}/base-000000", b"half")
        state.save(now.directory)
        await now.add()
        again = now.backups()
        await again.log_once()
        await asyncio.sleep(1.1)  # sets are named by the second
        await again.keep_once()
        assert [one.half for one in await list_sets(now.place)] == [False]
        then = await now.members()
        assert (await now.restored())[1] == then


async def test_server_that_could_not_wait_makes_a_new_set(tmp_path: Path) -> None:
    async with gym(tmp_path) as now:
        backups = now.backups()
        await backups.base_once()
        await now.conn.execute("SELECT pg_drop_replication_slot($1)", SLOT)
        await now.add()
        with pytest.raises(Exception, match="gone"):
            await backups.log_once()
        assert await backups.base_once()
        then = await now.members()
        assert (await now.restored())[1] == then


async def test_server_keeps_nothing_once_backups_are_not_configured(tmp_path: Path) -> None:
    async with gym(tmp_path) as now:
        await now.backups().base_once()
        await forget_slot(now.conn)
        await forget_slot(now.conn)
        assert await now.conn.fetchval("SELECT count(*) FROM pg_replication_slots") == 0


async def test_server_keeps_no_more_of_its_log_than_the_backup_lacks(tmp_path: Path) -> None:
    async with gym(tmp_path) as now:
        backups = now.backups()
        await backups.base_once()
        assert backups.newest is not None
        for _ in range(3):
            await now.add(20_000)
            await backups.log_once()
        kept = "SELECT pg_wal_lsn_diff(restart_lsn, '0/0')::bigint FROM pg_replication_slots WHERE slot_name = $1"
        assert await now.conn.fetchval(kept, SLOT) == backups.newest.position


async def test_copy_equals_the_database_at_one_moment_while_others_write(tmp_path: Path) -> None:
    """What a drill compares. The control: a moment later it differs."""
    async with gym(tmp_path) as now:
        backups = now.backups()
        await backups.base_once()
        writing = asyncio.create_task(_write_on(now))
        await asyncio.sleep(0.5)
        moment = await moment_of(now.settings)
        await asyncio.sleep(0.3)
        writing.cancel()
        await asyncio.gather(writing, return_exceptions=True)
        await backups.log_once()
        for name, until, same in (("then", moment.position, True), ("after", 0, False)):
            into = private_directory(tmp_path / name)
            listing = await furthest(now.place, KEY)
            reader = SetReader(now.place, listing, await key_of(now.place, listing.set_id, KEY))
            opened = await reader.open(private_directory(into / "cluster"), until=until)
            opened.tree.write("data/postgres", into)
            copy = await asyncio.to_thread(start_postgres, into, log=into / "log", durable=False)
            try:
                conn = await connect(copy.settings(database="tallenne"))
                assert (await tables_of(conn) == moment.tables) is same
                assert moment.tables["member"][0] > 5
                await conn.close()
            finally:
                copy.stop()


async def _write_on(now: Gym) -> None:
    conn = await connect(now.settings)
    try:
        while True:
            await conn.execute(MEMBERS, time.time_ns(), 3)
    finally:
        conn.terminate()


async def test_backup_holds_neither_members_nor_keys_in_the_clear(tmp_path: Path) -> None:
    async with gym(tmp_path) as now:
        name = f"somebody {uuid.uuid4()}"
        await now.conn.execute("CREATE TABLE planted AS SELECT $1::text AS name", name)
        backups = now.backups()
        await backups.base_once()
        secret = now.secret.read_bytes().strip()
        lying = b"".join(path.read_bytes() for path in sorted((tmp_path / "place").rglob("*")) if path.is_file())
        assert name.encode() not in lying
        assert secret not in lying
        opened, _ = await now.restored()
        assert opened.tree.files["data/postgres/owner.secret"].strip() == secret  # the control
        files = b"".join(
            path.read_bytes() for path in (tmp_path / "restored/cluster/base").rglob("*") if path.is_file()
        )
        assert name.encode() in files

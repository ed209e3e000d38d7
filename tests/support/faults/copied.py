"""A gym in a cluster of its own; its files and rows are copied before footage ends, and what opens from the copies."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import asyncpg

from custodian.audit.record import Record
from custodian.audit.signer import HeadSigner
from custodian.opening import Opener
from domain.ids import CameraId
from pipeline.embedded.accounts import ROLES
from pipeline.embedded.postgres import Postgres, start_postgres
from pipeline.embedded.provision import provision
from runtime.database import connect, open_pool
from runtime.settings import DatabaseSettings, StoreSettings
from storage.catalogue.migrate import migrate
from storage.sealed import object_name
from storage.store import ObjectStore, open_store
from tests.support.database.trail import Shelf
from tests.support.footage.custodian import Recorded
from tests.support.footage.past import Past, past
from upkeep.keeper.removal import Removal


@dataclass(kw_only=True)
class Copied:
    """``directory``: of the cluster's files and of their copy."""

    gym: Past
    objects: ObjectStore
    keeper: Removal
    cluster: Postgres
    directory: Path

    async def put(self, camera: CameraId, segments: list[Recorded]) -> None:
        """Put recorded segments into the bucket."""
        site_id = await self.gym.owner.fetchval("SELECT site_id FROM camera WHERE camera_id = $1", camera)
        for one in segments:
            name = object_name(site_id=site_id, camera_id=camera, segment_id=one.segment_id, start_ns=one.span.start_ns)
            digest = hashlib.sha256(one.data).digest()
            await self.objects.put_new(name, one.data, size_bytes=len(one.data), sha256=digest)

    async def copy(self) -> None:
        """Copy the rows, and the files with the write-ahead log, as a physical backup does (PostgreSQL 18, 25.3.4)."""
        cluster, to = self.directory / "pg", self.directory / "copy"
        conn = await connect(self.cluster.settings())
        try:
            await conn.execute("SELECT pg_backup_start('copy', true)")
            skip = shutil.ignore_patterns("postmaster.*", "socket", "pg_wal")
            shutil.copytree(cluster, to, ignore=skip)
            label = await conn.fetchval("SELECT labelfile FROM pg_backup_stop(false)")
            shutil.copytree(cluster / "cluster" / "pg_wal", to / "cluster" / "pg_wal")
            (to / "cluster" / "backup_label").write_text(label)
        finally:
            await conn.close()
        await self.gym.owner.execute("CREATE TABLE kept_key AS SELECT * FROM hour_key")
        await self.gym.owner.execute("CREATE TABLE kept_segment AS SELECT * FROM segment")

    async def open_from_files(self, *groups: list[Recorded]) -> list[int]:
        """How many of each group open by the copied files and their log, with the keyring of now."""
        (self.directory / "copy").chmod(0o700)
        copy = start_postgres(self.directory / "copy", log=self.directory / "copy.log", durable=False)
        try:
            async with open_pool(_as_role(copy, "custodian"), application_name="copy", max_size=2) as pool:
                return [await self._opened(pool, segments) for segments in groups]
        finally:
            copy.stop()

    async def _opened(self, pool: asyncpg.Pool, segments: list[Recorded]) -> int:
        custody, clock = self.gym.custody, self.gym.clock
        signer = HeadSigner(pool, custody.signing, (Shelf("copy"),), clock_ns=clock, begun=custody.begun)
        opener = Opener(pool, custody, Record(pool, signer, clock_ns=clock), clock_ns=clock)
        return len(await opener.open_for_verify([segment.segment_id for segment in segments], "test"))

    async def open_with_rows(self, over: list[Recorded]) -> int:
        """How many open with the copied rows put back. Rows of days that were dropped get their partition again."""
        owner = self.gym.owner
        await owner.execute("SELECT ensure_segment_day(start_ns) FROM kept_segment")
        await owner.execute("INSERT INTO hour_key SELECT * FROM kept_key ON CONFLICT DO NOTHING")
        await owner.execute("INSERT INTO segment SELECT * FROM kept_segment ON CONFLICT DO NOTHING")
        await owner.execute(
            "INSERT INTO segment_identity SELECT segment_id, start_ns FROM kept_segment ON CONFLICT DO NOTHING"
        )
        return await self.gym.opens(over)


@asynccontextmanager
async def copied(store: StoreSettings, keeper_store: StoreSettings, directory: Path) -> AsyncIterator[Copied]:
    """Start the cluster, and a gym sixty hours ago, by a clock that the test moves."""
    cluster = start_postgres(directory / "pg", log=directory / "pg.log", durable=False)
    try:
        await provision(cluster.settings(), dict.fromkeys(ROLES, "word"), "tallenne")
        await migrate(cluster.settings(database="tallenne"))
        async with (
            past(_as_role(cluster, "owner"), _as_role(cluster, "custodian"), directory, back_h=60) as gym,
            open_pool(_as_role(cluster, "keeper"), application_name="keeper", max_size=2) as pool,
            open_store(store) as objects,
            open_store(keeper_store) as keeper_objects,
        ):
            await objects.ensure_bucket()
            keeper = Removal(pool, keeper_objects, clock_ns=gym.clock)
            yield Copied(gym=gym, objects=objects, keeper=keeper, cluster=cluster, directory=directory)
    finally:
        cluster.stop()


def _as_role(cluster: Postgres, role: str) -> DatabaseSettings:
    settings = cluster.settings(database="tallenne")
    return settings if role == "owner" else replace(settings, user=f"tallenne_{role}", password="word")

"""A lost database comes back from bucket and keyring, and an old copy catches up; what is forged says nothing."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import os
import subprocess
import time
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from custodian.client import CustodianClient
from custodian.errors import CustodianAwayError
from domain.footage import Gap, GapCause, Segment, SegmentState
from domain.ids import CameraId
from domain.time import HOUR_NS, NS, Span
from pipeline.embedded.postgres import Postgres, binary
from runtime.database import open_pool
from runtime.settings import DatabaseSettings, StoreSettings
from storage.catalogue.rows import gap_from_row, segment_from_row
from storage.journal import JOURNAL_PREFIX, JournalKind, JournalWriter
from storage.journal.rows import gap_to_row
from storage.keys import FileKeyring, RecorderIdentity
from storage.sealed import object_name_of
from storage.store import ObjectStore, open_store
from tests.conftest import Database
from tests.integration.storage.footage import but_epochs
from tests.support.footage.custodian import custodian, custodian_settings, until
from tests.support.footage.recording import assert_tiled
from tests.support.processes.killed_recorder import Scene, Stage, stage
from tests.support.processes.repair_process import later
from upkeep.rebuild import RebuildReport, rebuild
from upkeep.reconcile import reconcile

pytestmark = pytest.mark.services


async def segments(pool: asyncpg.Pool) -> list[Segment]:
    return [segment_from_row(row) for row in await pool.fetch("SELECT * FROM segment ORDER BY start_ns, segment_id")]


async def gaps(pool: asyncpg.Pool) -> set[Gap]:
    return {gap_from_row(row) for row in await pool.fetch("SELECT * FROM gap")}


async def tables(pool: asyncpg.Pool) -> dict[str, list[Any]]:
    """What no object says, and the journal must."""
    keys = "SELECT hour_key_id, serial, camera_id, hour_ns, expires_hour_ns, sealed_private, state, signature"
    return {
        "recorder": await pool.fetch("SELECT * FROM recorder ORDER BY recorder_id"),
        "hour_key": await pool.fetch(f"{keys} FROM hour_key WHERE hour_ns <= $1 ORDER BY serial", time.time_ns()),
        "epoch": await pool.fetch("SELECT * FROM footage_epoch ORDER BY camera_id, recorder_id, epoch"),
    }


async def journalled(pool: asyncpg.Pool) -> None:
    async def empty() -> bool:
        return not await pool.fetchval("SELECT EXISTS (SELECT FROM journal_outbox)")

    await until(empty)


async def know_cameras(pool: asyncpg.Pool, scene: Scene) -> None:
    """As `tallenne up` does, from the configuration."""
    await pool.execute("INSERT INTO site VALUES ($1, 'site', 'UTC')", scene.stage.site_id)
    for camera_id in scene.cameras:
        await pool.execute(
            "INSERT INTO camera VALUES ($1, $2, $3, $4)", camera_id, scene.stage.site_id, str(camera_id), 72 * 3600
        )


class Afterwards:
    """Another database in the place of the lost one; custodian's directory and bucket are those of before."""

    def __init__(self, owner: asyncpg.Pool, objects: ObjectStore, client: CustodianClient) -> None:
        self.owner, self.objects, self.client = owner, objects, client

    async def rebuilt(self) -> RebuildReport:
        return await rebuild(self.owner, self.objects, self.client, grace_ns=0, clock_ns=later)


async def answers(client: CustodianClient) -> bool:
    with contextlib.suppress(CustodianAwayError):
        await client.identity()
        return True
    return False


@asynccontextmanager
async def afterwards(database: Database, store: StoreSettings, directory: Path) -> AsyncIterator[Afterwards]:
    settings = custodian_settings(
        database.custodian, directory, store=store, allowed_uids=(os.geteuid(),), operator_uids=(os.geteuid(),)
    )
    async with (
        open_pool(database.owner, application_name="test") as owner,
        custodian(settings, ready=False) as client,  # degraded: the new database does not continue the audit chain
        open_store(store) as objects,
    ):
        await until(lambda: answers(client))
        yield Afterwards(owner, objects, client)


async def test_deleted_database_comes_back_from_bucket_and_keyring(
    database: Database, other_database: Database, store: StoreSettings, tmp_path: Path
) -> None:
    async with stage(database, store, tmp_path) as before:
        scene = await before.scene()
        short = await expire_sooner(before, scene)
        assert await scene.killed("spool.append.chunks=kill@16")
        assert await scene.run(segments=7, drain_s=20.0) == 0
        await journalled(before.owner)
        then = await segments(before.owner), await gaps(before.owner), await tables(before.owner)
        hours = await before.owner.fetch(
            "SELECT expires_hour_ns FROM hour_key WHERE camera_id = $1 AND expires_hour_ns - hour_ns = $2",
            short,
            25 * HOUR_NS,
        )
    living = [item for item in then[0] if item.camera_id != short]
    expired = [item for item in then[0] if item.camera_id == short]
    assert living
    assert expired
    await FileKeyring.load([tmp_path / "custodian/keyring"]).drop([row["expires_hour_ns"] for row in hours])

    async with afterwards(other_database, store, tmp_path) as after:
        await know_cameras(after.owner, scene)
        report = await after.rebuilt()
        assert report.ok, report
        assert (report.rows, report.expired) == (len(living), len(expired))
        rows = await segments(after.owner)
        assert [row for row in rows if row.state is SegmentState.LIVE] == living
        assert {row.segment_id for row in rows if row.state is SegmentState.EXPIRING} == {
            item.segment_id for item in expired
        }
        assert await after.owner.fetchval("SELECT count(*) FROM retention_pause") == 1
        assert {gap for gap in await gaps(after.owner) if gap.camera_id != short} == {
            gap for gap in then[1] if gap.camera_id != short
        }
        now = await tables(after.owner)
        assert now["recorder"] == then[2]["recorder"]
        assert [row for row in now["hour_key"] if row["camera_id"] != short] == [
            row for row in then[2]["hour_key"] if row["camera_id"] != short
        ]
        opened = await after.client.open_for_verify([item.segment_id for item in then[0]])
        assert opened.keys() == {item.segment_id for item in living}
        assert await after.client.open_headers([item.header for item in expired]) == {}
        again = await after.rebuilt()
        assert (again.rows, again.known, again.lost.holes) == (0, len(then[0]), 0)
        assert not any(again.journal.rows.values())


async def expire_sooner(stage: Stage, scene: Scene) -> CameraId:
    """The second camera's footage is kept for a day: under keyring entries of its own."""
    camera_id = scene.cameras[1]
    await stage.owner.execute("UPDATE camera SET retention_s = 86400 WHERE camera_id = $1", camera_id)
    lifetime = "SELECT min(expires_hour_ns - hour_ns) FROM hour_key WHERE camera_id = $1 AND state = 'active'"

    async def keyed() -> bool:
        return bool(await stage.owner.fetchval(lifetime, camera_id) == 25 * HOUR_NS)

    await until(keyed)
    return camera_id


async def test_recorder_goes_on_with_keys_of_the_new_database(
    database: Database, other_database: Database, store: StoreSettings, tmp_path: Path
) -> None:
    """It takes no key of a lower serial than it has seen; the new database has forgotten which it gave."""
    async with stage(database, store, tmp_path) as before:
        scene = await before.scene()
        assert await scene.run(segments=2, drain_s=20.0) == 0
        await journalled(before.owner)
        highest = await before.owner.fetchval("SELECT max(serial) FROM hour_key")
    async with afterwards(other_database, store, tmp_path) as after:
        await know_cameras(after.owner, scene)
        await until(lambda: supplied(after.owner, scene))  # before the rebuild: `up` starts the custodian at once
        assert await after.owner.fetchval("SELECT min(serial) FROM hour_key") > highest
        assert (await after.rebuilt()).ok
        states = await after.owner.fetch(
            "SELECT camera_id, hour_ns FROM hour_key WHERE state = 'active' GROUP BY 1, 2 HAVING count(*) <> 1"
        )
        assert states == []
        assert await after.owner.fetchval("SELECT count(*) FROM hour_key WHERE state = 'draining'") > 0


async def supplied(owner: asyncpg.Pool, scene: Scene) -> bool:
    query = "SELECT count(DISTINCT camera_id) FROM hour_key WHERE hour_ns > $1"
    return bool(await owner.fetchval(query, time.time_ns() + HOUR_NS) == len(scene.cameras))


async def test_old_copy_catches_up_with_rows_keys_and_gaps(
    postgres: Postgres, database: Database, store: StoreSettings, tmp_path: Path
) -> None:
    async with stage(database, store, tmp_path) as before:
        old = await before.scene()
        assert await old.run(segments=4, drain_s=20.0) == 0
        copied = await copy_of(postgres, database.owner)
        new = await before.scene()  # cameras whose keys the copy does not know
        assert await new.killed("spool.append.chunks=kill@16")
        for scene in (old, new):
            assert await scene.run(segments=5, drain_s=20.0) == 0
        await journalled(before.owner)
        then = await segments(before.owner), await gaps(before.owner), await tables(before.owner)
    async with afterwards(copied, store, tmp_path) as after:
        missing = len(then[0]) - len(await segments(after.owner))
        report = await reconcile(after.owner, after.objects, after.client, grace_ns=0, clock_ns=later)
        assert not report.ok
        assert report.orphan_count == missing > 0
        report = await reconcile(after.owner, after.objects, after.client, repair=True, grace_ns=0, clock_ns=later)
        assert report.orphan_count == missing
        assert report.lost.holes == 0  # the journal had a cause for every gap
        assert but_epochs(await segments(after.owner)) == but_epochs(then[0])
        assert await gaps(after.owner) == then[1]
        now = await tables(after.owner)
        # Not the epochs: a recorder that commits before it has its lease does so under epoch 1, and a row that is
        # restored gets the epoch of the lease. Which of both was first depends on the machine.
        assert {name: now[name] for name in ("recorder", "hour_key")} == {
            name: then[2][name] for name in ("recorder", "hour_key")
        }
        assert report.unrecorded is not None
        assert report.unrecorded.stored.duration_ns > 0
        assert report.unrecorded.events == 0
        assert (await reconcile(after.owner, after.objects, after.client, grace_ns=0, clock_ns=later)).ok


async def copy_of(postgres: Postgres, source: DatabaseSettings) -> Database:
    """A dump, restored into a database of its own, which stays until the cluster ends."""
    name = f"copy_{uuid.uuid4().hex}"
    place = ["-h", source.host, "-U", source.user]
    environment = {**os.environ, "PGPASSWORD": source.password}
    pipe = f'set -o pipefail; "$0" -Fc {" ".join(place)} {source.database} | "$1" -d {name} {" ".join(place)} -e'

    def run() -> None:
        subprocess.run([binary("createdb"), *place, "-T", "template0", name], env=environment, check=True)
        subprocess.run(["bash", "-c", pipe, binary("pg_dump"), binary("pg_restore")], env=environment, check=True)

    await asyncio.to_thread(run)
    roles = {role: postgres.settings(f"tallenne_{role}", f"test-tallenne_{role}", name) for role in ROLES}
    return Database(owner=postgres.settings(database=name), **roles)


ROLES = ("ingest", "index", "custodian", "serve", "keeper")


async def test_time_that_nothing_accounts_for_is_told_and_becomes_a_gap(
    database: Database, store: StoreSettings, keeper_store: StoreSettings, tmp_path: Path
) -> None:
    async with stage(database, store, tmp_path) as made, open_store(keeper_store) as keeper:
        scene = await made.scene()
        assert await scene.run(segments=6, drain_s=20.0) == 0
        first, *_, last = [item for item in await segments(made.owner) if item.camera_id == scene.cameras[0]]
        hole = (await segments(made.owner))[4]
        await keeper.delete(object_name_of(hole))
        for table in ("segment", "segment_identity"):
            await made.owner.execute(f"DELETE FROM {table} WHERE segment_id = $1", hole.segment_id)
        for _ in range(2):
            report = await reconcile(made.owner, made.objects, made.client, grace_ns=0, clock_ns=later)
            assert not report.ok
            assert (report.lost.holes, report.lost.duration_ns) == (1, hole.span.duration_ns)
        await reconcile(made.owner, made.objects, made.client, repair=True, grace_ns=0, clock_ns=later)
        row = await made.owner.fetchrow("SELECT * FROM gap WHERE start_ns = $1", hole.span.start_ns)
        assert gap_from_row(row) == Gap(camera_id=hole.camera_id, span=hole.span, cause=GapCause.LOST)
        assert (await reconcile(made.owner, made.objects, made.client, grace_ns=0, clock_ns=later)).ok
        mine = [gap.span for gap in await gaps(made.owner) if gap.camera_id == first.camera_id]
        assert_tiled([s.span for s in await segments(made.owner) if s.camera_id == last.camera_id], mine)


async def test_forged_and_foreign_records_are_refused_and_reported(
    database: Database, store: StoreSettings, tmp_path: Path
) -> None:
    async with stage(database, store, tmp_path) as made:
        scene = await made.scene()
        assert await scene.run(segments=2, drain_s=20.0) == 0
        await journalled(made.owner)
        before = await gaps(made.owner), await tables(made.owner)
        planted = await plant(made, scene)
        report = await rebuild(made.owner, made.objects, made.client, grace_ns=0, clock_ns=later)
        assert not report.ok
        assert {item.name for item in report.journal.refused} == set(planted)
        assert (await gaps(made.owner), await tables(made.owner)) == before


async def plant(made: Stage, scene: Scene) -> list[str]:
    """Records that a stranger, or an enrolled recorder, may not write."""
    stranger, recorder = Ed25519PrivateKey.generate(), made.identity
    foreign = JournalWriter(made.objects, stranger.public_key().public_bytes_raw(), stranger.sign)
    genuine = JournalWriter(made.objects, recorder.public_key, recorder.sign)
    now_ns = time.time_ns()
    gap = Gap(camera_id=scene.cameras[0], span=Span(now_ns, now_ns + NS), cause=GapCause.CRASH)
    intruder = RecorderIdentity.create(bytes(32))
    row = {
        "recorder_id": str(intruder.recorder_id),
        "name": "intruder",
        "public_key": f"\\x{intruder.public_key.hex()}",
        "enrolled_ns": now_ns,
        "revoked_ns": None,
    }
    start = {"camera_id": str(gap.camera_id), "recorder_id": str(intruder.recorder_id), "epoch": 9, "start_ns": 1}
    garbage = f"{JOURNAL_PREFIX}gap/20261130T09-{'0' * 32}.tlnj"
    await made.objects.put_new(garbage, b"x", size_bytes=1, sha256=hashlib.sha256(b"x").digest())
    return [
        garbage,
        await foreign.write(JournalKind.GAP, now_ns, [gap_to_row(gap)]),
        await foreign.write(JournalKind.RECORDER, now_ns, [row]),
        await genuine.write(JournalKind.RECORDER, now_ns, [row]),
        await genuine.write(JournalKind.EPOCH, now_ns, [{**start, "segment_id": str(uuid.uuid4())}]),
        await genuine.write(JournalKind.GAP, now_ns, [{"camera_id": "none"}]),
    ]

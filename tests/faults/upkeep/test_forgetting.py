"""What has expired opens by no means: restored rows, the database's files and log copied before, objects copied before.

A test clock runs through a day and a half, so that whole days end. What is not over opens throughout (the controls).
"""

from __future__ import annotations

import hashlib
import json
import shutil
from dataclasses import replace
from pathlib import Path

import asyncpg
import pytest

from custodian.audit.record import Record
from custodian.audit.signer import HeadSigner
from custodian.opening import Opener
from domain.ids import CameraId
from domain.time import HOUR_NS
from pipeline.embedded.postgres import ROLES, Postgres, start_postgres
from pipeline.embedded.provision import provision
from runtime.database import connect, open_pool
from runtime.settings import DatabaseSettings, StoreSettings
from storage.catalogue.certificates import check_chain, read_certificates
from storage.catalogue.migrate import migrate
from storage.sealed import object_name
from storage.store import ObjectStore, open_store
from tests.support.database.trail import Shelf
from tests.support.footage.custodian import Recorded
from tests.support.footage.past import Past, past
from upkeep.keeper.removal import Removal

pytestmark = pytest.mark.services

HOURS, COPIED_AT = 36, 20
RETENTION_H = (1, 5, 30)


def as_role(cluster: Postgres, role: str) -> DatabaseSettings:
    settings = cluster.settings(database="tallenne")
    return settings if role == "owner" else replace(settings, user=f"tallenne_{role}", password="word")


async def copy_files(cluster: Postgres, directory: Path, to: Path) -> None:
    """The cluster's files and its write-ahead log, as a physical backup takes them (PostgreSQL 18, 25.3.4)."""
    conn = await connect(cluster.settings())
    try:
        await conn.execute("SELECT pg_backup_start('copy', true)")
        skip = shutil.ignore_patterns("postmaster.*", "socket", "pg_wal")
        shutil.copytree(directory, to, ignore=skip)
        label = await conn.fetchval("SELECT labelfile FROM pg_backup_stop(false)")
        shutil.copytree(directory / "cluster" / "pg_wal", to / "cluster" / "pg_wal")
        (to / "cluster" / "backup_label").write_text(label)
    finally:
        await conn.close()


async def opened_in(settings: DatabaseSettings, gym: Past, segments: list[Recorded]) -> int:
    """How many open by the rows of another database, with the keyring of now."""
    async with open_pool(settings, application_name="copy", max_size=2) as pool:
        signer = HeadSigner(pool, gym.custody.signing, (Shelf("copy"),), clock_ns=gym.clock, begun=gym.custody.begun)
        opener = Opener(pool, gym.custody, Record(pool, signer, clock_ns=gym.clock), clock_ns=gym.clock)
        keys = await opener.open_for_verify([segment.segment_id for segment in segments], "test")
        return len(keys)


async def test_expired_footage_opens_by_no_means(
    store: StoreSettings, keeper_store: StoreSettings, tmp_path: Path
) -> None:
    directory = tmp_path / "pg"
    cluster = start_postgres(directory, log=tmp_path / "pg.log", durable=False)
    copy: Postgres | None = None
    try:
        await provision(cluster.settings(), dict.fromkeys(ROLES, "word"), "tallenne")
        await migrate(cluster.settings(database="tallenne"))
        async with (
            past(as_role(cluster, "owner"), as_role(cluster, "custodian"), tmp_path, back_h=60) as gym,
            open_pool(as_role(cluster, "keeper"), application_name="keeper", max_size=2) as pool,
            open_store(store) as objects,
            open_store(keeper_store) as keeper_objects,
        ):
            await objects.ensure_bucket()
            keeper = Removal(pool, keeper_objects, clock_ns=gym.clock)
            cameras = [await gym.camera(hours) for hours in RETENTION_H]
            ends: dict[int, list[Recorded]] = {}  # by the hour in which they expire
            for hour in range(HOURS):
                for camera, hours in zip(cameras, RETENTION_H, strict=True):
                    segments = await gym.record(camera, 1)
                    await _put(gym, objects, camera, segments)
                    ends.setdefault(hour + hours + 1, []).extend(segments)
                if hour == COPIED_AT:
                    await copy_files(cluster, directory, tmp_path / "copy")
                    await gym.owner.execute("CREATE TABLE kept_key AS SELECT * FROM hour_key")
                    await gym.owner.execute("CREATE TABLE kept_segment AS SELECT * FROM segment")
                gym.clock.now_ns += HOUR_NS
                await gym.expiry.run_once()
                await keeper.run_once()
            over = [one for hour, found in ends.items() if hour <= HOURS for one in found]
            living = [one for hour, found in ends.items() if hour > HOURS for one in found]
            figures = {
                "expired_camera_hours": await gym.owner.fetchval("SELECT count(*) FROM expired_key WHERE segments > 0"),
                "expired_segments": len(over),
                "opened": await gym.opens(over),
                "objects_left": len([info async for info in objects.list("v1/")]),
                "days_dropped": keeper.dropped_days,
            }
            (tmp_path / "copy").chmod(0o700)
            copy = start_postgres(tmp_path / "copy", log=tmp_path / "copy.log", durable=False)
            figures["opened_from_files_and_log"] = await opened_in(as_role(copy, "custodian"), gym, over)
            figures["opened_after_restored_rows"] = await _restored(gym, over)
            figures["controls"] = await gym.opens(living)
            # Positive control of the copy: what was recorded before it and lives still opens from it.
            before = [one for one in living if one.span.start_ns <= gym.start_ns + COPIED_AT * HOUR_NS]
            figures["controls_from_copy"] = await opened_in(as_role(copy, "custodian"), gym, before)
            check_chain(await read_certificates(gym.owner, 0, 1000), gym.custody.signer)
    finally:
        for running in (copy, cluster):
            if running is not None:
                running.stop()
    print(json.dumps(figures))
    assert len(over) > 60
    assert figures["expired_camera_hours"] == figures["expired_segments"] == len(over)
    assert figures["opened"] == figures["opened_from_files_and_log"] == figures["opened_after_restored_rows"] == 0
    assert figures["controls"] == figures["objects_left"] == len(living) > 0
    assert figures["controls_from_copy"] == len(before) > 0


async def _put(gym: Past, objects: ObjectStore, camera: CameraId, segments: list[Recorded]) -> None:
    site_id = await gym.owner.fetchval("SELECT site_id FROM camera WHERE camera_id = $1", camera)
    for one in segments:
        name = object_name(site_id=site_id, camera_id=camera, segment_id=one.segment_id, start_ns=one.span.start_ns)
        digest = hashlib.sha256(one.data).digest()
        await objects.put_new(name, one.data, size_bytes=len(one.data), sha256=digest)


async def _restored(gym: Past, over: list[Recorded]) -> int:
    """How many open with the rows of a backup put back. Rows of days that were dropped get their partition again."""
    owner: asyncpg.Connection = gym.owner
    await owner.execute("SELECT ensure_segment_day(start_ns) FROM kept_segment")
    await owner.execute("INSERT INTO hour_key SELECT * FROM kept_key ON CONFLICT DO NOTHING")
    await owner.execute("INSERT INTO segment SELECT * FROM kept_segment ON CONFLICT DO NOTHING")
    await owner.execute(
        "INSERT INTO segment_identity SELECT segment_id, start_ns FROM kept_segment ON CONFLICT DO NOTHING"
    )
    return await gym.opens(over)

"""Storage does not grow: weeks of two cameras with a short retention, by a test clock, over real database and store.

Expiry, keeper and journal do their hourly work. What each takes is printed every half day of that time (``-s``):
``TALLENNE_STEADY_S`` says for how long. Records other than footage end by the database's own clock, which no test sets:
tests/integration/upkeep/test_periods.py.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
import time
from pathlib import Path

import pytest

from custodian.journal import JournalKeeper
from domain.ids import CameraId
from domain.time import HOUR_NS, NS, hour_of
from runtime.database import open_pool
from runtime.settings import StoreSettings
from storage.journal import JOURNAL_PREFIX, JournalWriter
from storage.sealed import OBJECT_PREFIX, object_name
from storage.store import ObjectStore, open_store
from tests.conftest import Database
from tests.support.footage.custodian import record
from tests.support.footage.past import Past, past
from upkeep.keeper.removal import Removal

pytestmark = [pytest.mark.long, pytest.mark.services, pytest.mark.timeout(2 * 3600)]

CAMERAS, RETENTION_H, EACH, BYTES = 2, 6, 18, 50_000
BACK_H, EVERY_H = 24 * 60, 12
FIRST_H = 48  # of filling; measured from then on
STEADY_S = float(os.environ.get("TALLENNE_STEADY_S", "300"))


async def test_weeks_of_short_retention_take_no_more_than_its_first_days(
    database: Database, store: StoreSettings, keeper_store: StoreSettings, service_directory: Path, tmp_path: Path
) -> None:
    rows: list[dict[str, float]] = []
    async with (
        past(database.owner, database.custodian, tmp_path, back_h=BACK_H) as gym,
        open_pool(database.keeper, application_name="keeper", max_size=2) as pool,
        open_store(store) as objects,
        open_store(keeper_store) as removing,
    ):
        await objects.ensure_bucket()
        keeper = Removal(pool, removing, clock_ns=gym.clock)
        journal = JournalKeeper(gym.pool, JournalWriter(objects, gym.custody.signer, gym.custody.signing.sign))
        cameras = [await gym.camera(RETENTION_H) for _ in range(CAMERAS)]
        began_s, hour = time.monotonic(), 0
        while (time.monotonic() - began_s < STEADY_S or hour < 2 * FIRST_H) and hour < BACK_H:
            for camera in cameras:
                await _record(gym, objects, camera)
            gym.clock.now_ns += HOUR_NS
            await gym.expiry.run_once()
            await journal.run_once(asyncio.Event())
            await keeper.run_once()
            hour += 1
            if hour % EVERY_H == 0:
                row = {"hour": hour, **await _sizes(gym, objects, service_directory)}
                rows.append(row)
                print(json.dumps(row), flush=True)
    steady = [row for row in rows if row["hour"] > FIRST_H]
    for name in ("bucket", "objects", "segments", "days", "keyring"):  # rows of dead footage go with their day
        assert max(row[name] for row in steady) <= 1.1 * max(row[name] for row in steady[: 24 // EVERY_H]), name
    days = (steady[-1]["hour"] - steady[0]["hour"]) / 24
    growth = {name: (steady[-1][name] - steady[0][name]) / days for name in ("database", "journal", "records")}
    print(json.dumps({"growth a day": {name: round(value) for name, value in growth.items()}}))
    assert growth["database"] < 1 << 20  # dead hour keys (400 days), certificates, audit entries
    assert growth["journal"] < 1 << 20


async def _record(gym: Past, objects: ObjectStore, camera: CameraId) -> None:
    start_ns = hour_of(gym.clock())
    key = (await gym.keys()).key_for(camera, start_ns)
    for number in range(EACH):
        at_ns = start_ns + number * 10 * NS
        one = await record(gym.owner, gym.recorder, key, os.urandom(BYTES), start_ns=at_ns)
        name = object_name(site_id=key.site_id, camera_id=camera, segment_id=one.segment_id, start_ns=at_ns)
        await objects.put_new(name, one.data, size_bytes=len(one.data), sha256=hashlib.sha256(one.data).digest())


async def _sizes(gym: Past, objects: ObjectStore, services: Path) -> dict[str, float]:
    footage = [info.size_bytes async for info in objects.list(OBJECT_PREFIX)]
    records = [info.size_bytes async for info in objects.list(JOURNAL_PREFIX)]
    return {
        "bucket": sum(footage),
        "objects": len(footage),
        "journal": sum(records),
        "records": len(records),
        "segments": await gym.owner.fetchval("SELECT count(*) FROM segment"),
        "days": await gym.owner.fetchval("SELECT count(*) FROM pg_inherits WHERE inhparent = 'segment'::regclass"),
        "database": await gym.owner.fetchval("SELECT pg_database_size(current_database())"),
        "wal": await asyncio.to_thread(_taken, services / "pg" / "cluster" / "pg_wal"),
        "store_disk": await asyncio.to_thread(_taken, services / "store"),
        "keyring": await asyncio.to_thread(_taken, gym.directory / "custody"),
        "logs": await asyncio.to_thread(lambda: sum(path.stat().st_size for path in services.glob("*.log"))),
    }


def _taken(folder: Path) -> int:
    """What it takes of the disk; files that go meanwhile count as gone."""
    found = 0
    for path in folder.rglob("*"):
        try:
            found += path.lstat().st_blocks * 512
        except FileNotFoundError:
            continue
    return found

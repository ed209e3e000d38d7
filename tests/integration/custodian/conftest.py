"""A custodian with a database of its own, and a gym with three segments of footage."""

from __future__ import annotations

import os
import time
from collections.abc import AsyncIterator
from pathlib import Path

import asyncpg
import pytest

from custodian.enrolment import load_or_enrol
from domain.time import NS, hour_of
from runtime.database import connect
from runtime.settings import CustodianSettings
from storage.keys import HourKeyCache
from tests.conftest import Database
from tests.support.footage.custodian import Gym, add_camera, custodian, custodian_settings, fetch_keys, record


@pytest.fixture
async def owner(database: Database) -> AsyncIterator[asyncpg.Connection]:
    conn = await connect(database.owner)
    yield conn
    await conn.close()


@pytest.fixture
def settings(database: Database, tmp_path: Path) -> CustodianSettings:
    return custodian_settings(database.custodian, tmp_path)


@pytest.fixture
async def gym(owner: asyncpg.Connection, settings: CustodianSettings, tmp_path: Path) -> AsyncIterator[Gym]:
    site_id, camera_id = await add_camera(owner)
    async with custodian(settings) as client:
        identity = await load_or_enrol(tmp_path / "recorder", "recorder", client)
        cache = HourKeyCache(identity.pinned_signer)
        await fetch_keys(owner, cache)
        start_ns = hour_of(time.time_ns())
        key = cache.key_for(camera_id, start_ns)
        segments = [
            await record(owner, identity, key, os.urandom(40_000), start_ns=start_ns + n * 10 * NS) for n in range(3)
        ]
        yield Gym(
            owner=owner,
            client=client,
            identity=identity,
            cache=cache,
            site_id=site_id,
            camera_id=camera_id,
            segments=segments,
        )

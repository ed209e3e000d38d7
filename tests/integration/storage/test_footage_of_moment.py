"""Whether a moment has footage costs the same, however many other cameras have footage of it."""

from __future__ import annotations

import json
import uuid
from collections.abc import AsyncIterator

import asyncpg
import pytest

from domain.time import DAY_NS, MINUTE_NS
from runtime.database import connect
from tests.conftest import Database

pytestmark = pytest.mark.services
T = 20_500 * DAY_NS
SEGMENTS = """
    INSERT INTO segment (segment_id, site_id, camera_id, recorder_id, hour_key_id, start_ns, end_ns, size_bytes, sha256,
        header, codec, mime, width, height, init_size, frames, recovered, committed_ns, state)
    SELECT gen_random_uuid(), $1, camera, $1, $1, $3 + n * 10000000000::bigint, $3 + (n + 1) * 10000000000::bigint,
        1000, decode(repeat('00', 32), 'hex'), decode(repeat('00', 210), 'hex'), 'h264', 'avc1', 640, 360, 700, 250,
        false, 1, $4
    FROM unnest($2::uuid[]) AS camera, generate_series(0, 29) AS n
"""


@pytest.fixture
async def owner(database: Database) -> AsyncIterator[asyncpg.Connection]:
    conn = await connect(database.owner)
    yield conn
    await conn.close()


@pytest.mark.parametrize("state", ["live", "shadow"])
async def test_other_cameras_cost_nothing(owner: asyncpg.Connection, state: str) -> None:
    site, camera, ended = (uuid.uuid4() for _ in range(3))
    others = [uuid.uuid4() for _ in range(500)]
    await owner.execute("SELECT ensure_segment_day($1)", T)
    for cameras, each in (([camera], state), ([ended], "expiring"), (others, "live")):
        await owner.execute(SEGMENTS, site, cameras, T, each)
    await owner.execute("ANALYZE segment")
    at = T + 2 * MINUTE_NS
    assert await owner.fetchval("SELECT has_footage($1, $2)", camera, at)
    assert not await owner.fetchval("SELECT has_footage($1, $2)", camera, T + 20 * MINUTE_NS)
    assert not await owner.fetchval("SELECT has_footage($1, $2)", ended, at)
    assert await pages_read(owner, ended, at) < 30  # reading two minutes of all cameras takes eight hundred


async def pages_read(owner: asyncpg.Connection, camera: uuid.UUID, at_ns: int) -> int:
    query = f"EXPLAIN (ANALYZE, BUFFERS, FORMAT json) SELECT has_footage('{camera}', {at_ns})"
    await owner.fetchval(query)  # the catalogue's own pages are read once
    plan = json.loads(await owner.fetchval(query))[0]["Plan"]
    return int(plan["Shared Hit Blocks"] + plan["Shared Read Blocks"])

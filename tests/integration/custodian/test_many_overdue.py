"""Ten thousand camera-hours are overdue at once: guarded, then done on an operator's word, in little memory.

Rows are made in the database; their objects are not there, and a delete of one that is not there is an answer like any
other. Figures are printed with ``-s``.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import psutil
import pytest

from custodian.expiry.tick import RetentionClock
from domain.time import HOUR_NS
from runtime.database import open_pool
from runtime.settings import StoreSettings
from storage.catalogue.certificates import check_chain, read_certificates
from storage.store import open_store
from tests.conftest import Database
from tests.support.footage.past import Past, past
from upkeep.keeper.removal import Removal

pytestmark = [pytest.mark.long, pytest.mark.services, pytest.mark.timeout(1800)]

CAMERAS, HOURS, EACH = 100, 100, 12
MEMORY_MAX = 64 << 20
KEYS = """
INSERT INTO hour_key (hour_key_id, serial, site_id, camera_id, hour_ns, expires_hour_ns, public_key, sealed_private,
                      signature, created_ns)
SELECT gen_random_uuid(), 1000000 + row_number() OVER (), site_id, camera_id, hour_ns, hour_ns + 7200000000000,
       decode(repeat('00', 32), 'hex'), '', decode(repeat('00', 64), 'hex'), 0
FROM camera CROSS JOIN generate_series($1::bigint, $2::bigint, 3600000000000) AS hour_ns WHERE retention_s = 3600
"""
SEGMENTS = """
WITH made AS (
    INSERT INTO segment (segment_id, site_id, camera_id, recorder_id, hour_key_id, start_ns, end_ns, size_bytes, sha256,
                         header, codec, mime, width, height, init_size, frames, recovered, committed_ns)
    SELECT gen_random_uuid(), site_id, camera_id, gen_random_uuid(), hour_key_id, at_ns, at_ns + 100000000000, 5000000,
           decode(repeat('00', 32), 'hex'), decode(repeat('00', 210), 'hex'), 'h264', 'avc1.64001f', 640, 360, 700, 250,
           false, at_ns
    FROM hour_key CROSS JOIN generate_series(0, $1 - 1) AS n, LATERAL (SELECT hour_ns + n * 100000000000) AS t (at_ns)
    WHERE sealed_private = ''
    RETURNING segment_id, start_ns)
INSERT INTO segment_identity SELECT segment_id, start_ns FROM made
"""


@asynccontextmanager
async def watched() -> AsyncIterator[list[int]]:
    """The most memory that this process took within, beyond what it had before; bytes."""
    process, found = psutil.Process(), [0]
    before = process.memory_info().rss

    async def look() -> None:
        while True:
            found[0] = max(found[0], process.memory_info().rss - before)
            await asyncio.sleep(0.05)

    task = asyncio.create_task(look())
    try:
        yield found
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def overdue(gym: Past) -> int:
    """Footage of an outage of so many hours, until an hour ago; how many segments."""
    first_ns = gym.start_ns - (HOURS + 2) * HOUR_NS
    for _ in range(CAMERAS):
        await gym.owner.execute(
            "INSERT INTO camera SELECT gen_random_uuid(), site_id, gen_random_uuid()::text, 3600 FROM site LIMIT 1"
        )
    for hour_ns in range(first_ns, gym.start_ns + HOUR_NS, HOUR_NS):
        await gym.owner.execute("SELECT ensure_segment_day($1)", hour_ns)
    last_ns = first_ns + (HOURS - 1) * HOUR_NS
    await gym.owner.execute("SET statement_timeout = 0")
    await gym.owner.execute(KEYS, first_ns, last_ns)
    await gym.owner.execute(SEGMENTS, EACH)
    await gym.owner.execute("ANALYZE")
    await gym.custody.keyring.ensure(set(range(first_ns + 2 * HOUR_NS, last_ns + 3 * HOUR_NS, HOUR_NS)))
    return CAMERAS * HOURS * EACH


async def test_ten_thousand_camera_hours_wait_for_a_word_and_then_go_in_little_memory(
    database: Database, store: StoreSettings, keeper_store: StoreSettings, tmp_path: Path
) -> None:
    async with past(database.owner, database.custodian, tmp_path) as gym, open_store(store) as objects:
        await objects.ensure_bucket()
        living = await gym.record(await gym.camera(48), 2)
        segments = await overdue(gym)
        RetentionClock(tmp_path / "retention-clock").advance(gym.clock.now_ns - HOUR_NS)
        expiry = gym.new_expiry()
        assert await expiry.run_once() == 0
        assert f"{CAMERAS * HOURS} camera-hours are overdue at once" in str(expiry.held)
        left = "SELECT count(*) FROM segment WHERE state = 'live'"
        assert await gym.owner.fetchval(left) == segments + 2
        due = expiry.report()
        assert due["due_camera_hours"] == CAMERAS * HOURS
        await expiry.confirm(due["due_up_to_ns"], due["due_camera_hours"], "operator:0")
        began_s = time.monotonic()
        async with watched() as expiring:
            while expiry.report()["due_hours"]:
                await expiry.run_once()
        figures = {"camera_hours": CAMERAS * HOURS, "segments": segments, "expired_s": time.monotonic() - began_s}
        assert await gym.owner.fetchval(left) == 2
        began_s = time.monotonic()
        async with (
            open_pool(database.keeper, application_name="keeper", max_size=2, statement_timeout_s=120) as pool,
            open_store(keeper_store) as removing,
            watched() as keeping,
        ):
            keeper = Removal(pool, removing, clock_ns=gym.clock)
            await keeper.run_once()
            while keeper.backlog.camera_hours:
                await keeper.run_once()
        figures |= {"removed_s": time.monotonic() - began_s, "days_dropped": keeper.dropped_days}
        figures |= {"custodian_bytes": expiring[0], "keeper_bytes": keeping[0]}
        print(json.dumps({name: round(value, 1) for name, value in figures.items()}))
        assert await gym.owner.fetchval("SELECT count(*) FROM segment_identity") == 2
        assert await gym.opens(living) == 2
        certificates = await read_certificates(gym.owner, 0, 1000)
        check_chain(certificates, gym.custody.signer)
        assert len(certificates) == HOURS
        assert {one.said()["confirmed_by"] for one in certificates} == {"operator:0"}
    assert max(expiring[0], keeping[0]) < MEMORY_MAX

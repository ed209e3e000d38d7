"""The plans that matter: joining a batch reads by index, however much footage there is."""

from __future__ import annotations

import json
import uuid

import asyncpg
import pytest

from domain.time import DAY_NS
from runtime import sql
from runtime.database import open_pool
from tests.conftest import Database
from tests.support.doors.door_log import Gym, ensure_days

pytestmark = pytest.mark.services
T = 20_500 * DAY_NS
SEGMENTS = """
    INSERT INTO segment (segment_id, site_id, camera_id, recorder_id, hour_key_id, start_ns, end_ns, size_bytes, sha256,
        header, codec, mime, width, height, init_size, frames, recovered, committed_ns)
    SELECT gen_random_uuid(), $1, camera, $1, $1, $3 + n * 20000000000::bigint, $3 + (n + 1) * 20000000000::bigint,
        1000, decode(repeat('00', 32), 'hex'), decode(repeat('00', 210), 'hex'), 'h264', 'avc1', 640, 360, 700, 250,
        false, 1
    FROM unnest($2::uuid[]) AS camera, generate_series(0, 4319 * 3) AS n
"""
EVENTS = """
    INSERT INTO access_event (event_id, dedup_key, site_id, door_id, kind, occurred_ns, received_ns)
    SELECT id, sha256(uuid_send(id)), $1, $2, 'granted', $3 + n * 10000000000, 1
    FROM (SELECT gen_random_uuid() AS id, n FROM generate_series(0, 20000) AS n) AS made
"""
TAGS = """
    INSERT INTO tag (event_id, segment_id, segment_start_ns, camera_id, start_ns, end_ns)
    SELECT event_id, segment_id, start_ns, camera_id, 0, 1 FROM access_event
    JOIN segment ON start_ns = occurred_ns - occurred_ns % 20000000000
"""


async def test_join_reads_segments_and_events_by_index(
    owner: asyncpg.Connection, ingest: asyncpg.Connection, gym: Gym
) -> None:
    await ensure_days(ingest, T, T + DAY_NS, T + 2 * DAY_NS)
    await owner.execute(SEGMENTS, gym.site_id, gym.cameras, T)
    await owner.execute("INSERT INTO segment_identity SELECT segment_id, start_ns FROM segment")
    await owner.execute(EVENTS, gym.site_id, gym.doors["front"], T)
    await owner.execute(TAGS)
    await owner.execute("ANALYZE")
    batch = [uuid.uuid4() for _ in range(100)]
    for mode in ("force_custom_plan", "force_generic_plan"):
        await owner.execute(f"SET plan_cache_mode = {mode}")
        for name, extra in (("tags_add", ()), ("tags_end", (1,)), ("tags_to_end", (T,))):
            rows = await owner.fetch(f"EXPLAIN {sql.load('indexer', name)}", batch, batch, *extra)
            plan = "\n".join(row[0] for row in rows)
            for table in ("segment_2", "segment_identity", "access_event", "on tag"):
                found = [line for line in plan.splitlines() if "Seq Scan" in line and table in line]
                assert not found, f"{mode} {name}: {found}"


async def _pages_read(owner: asyncpg.Connection, mode: str, *arguments: object) -> int:
    """By joining once; taken back, and its traces removed: dead rows are read, too."""
    await owner.execute("TRUNCATE tag")
    await owner.execute(f"SET plan_cache_mode = {mode}")
    done = owner.transaction()
    await done.start()
    (row,) = await owner.fetch(f"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) {sql.load('indexer', 'tags_add')}", *arguments)
    await done.rollback()
    plan = json.loads(row[0])[0]["Plan"]
    return int(plan["Shared Hit Blocks"] + plan["Shared Read Blocks"])


@pytest.mark.parametrize("mode", ["force_custom_plan", "force_generic_plan"])
async def test_join_reads_as_much_beside_thirty_days_of_footage_as_beside_one(
    owner: asyncpg.Connection, ingest: asyncpg.Connection, gym: Gym, mode: str
) -> None:
    """Pages, not seconds: the other days' partitions are left alone, from either side of the join."""
    days = [T - n * DAY_NS for n in range(30)]
    await ensure_days(ingest, *days)
    once = SEGMENTS.replace("4319 * 3", "4319")
    await owner.execute(once, gym.site_id, gym.cameras, T)
    await owner.execute("INSERT INTO segment_identity SELECT segment_id, start_ns FROM segment")
    await owner.execute(EVENTS.replace("20000", "8000"), gym.site_id, gym.doors["front"], T)
    events = [row["event_id"] for row in await owner.fetch("SELECT event_id FROM access_event LIMIT 200")]
    segments = [row["segment_id"] for row in await owner.fetch("SELECT segment_id FROM segment LIMIT 200")]
    await owner.execute("VACUUM ANALYZE segment, segment_identity, access_event")
    before = [await _pages_read(owner, mode, *sides) for sides in ((events, []), ([], segments))]
    for day in days[1:]:
        await owner.execute(once, gym.site_id, gym.cameras, day)
    await owner.execute("INSERT INTO segment_identity SELECT segment_id, start_ns FROM segment ON CONFLICT DO NOTHING")
    await owner.execute("VACUUM ANALYZE segment, segment_identity, access_event")
    after = [await _pages_read(owner, mode, *sides) for sides in ((events, []), ([], segments))]
    assert min(before) > 200  # something was read at all
    assert after[0] <= 1.2 * before[0] and after[1] <= 1.2 * before[1], (before, after)


async def test_messages_that_are_known_or_in_trouble_are_looked_up_by_index(
    owner: asyncpg.Connection, gym: Gym
) -> None:
    """One unknown credential must not read all events there ever were."""
    await owner.execute(EVENTS, gym.site_id, gym.doors["front"], T)
    await owner.execute("ANALYZE")
    n = 1000
    texts = [str(i) for i in range(n)]
    columns = (
        list(range(n)),
        [uuid.uuid4() for _ in range(n)],
        [i.to_bytes(32, "big") for i in range(n)],
        [gym.site_id] * n,
        ["front"] * n,
        ["granted"] * n,
        [None] * n,
        texts,
        [None] * n,
        [T] * n,
        [T] * n,
        [False] * n,
        [None] * n,
        [None] * n,
    )
    for mode in ("force_custom_plan", "force_generic_plan"):
        await owner.execute(f"SET plan_cache_mode = {mode}")
        plan = "\n".join(
            row[0] for row in await owner.fetch(f"EXPLAIN {sql.load('indexer.events', 'commit_events')}", *columns)
        )
        assert "Index Scan using access_event_dedup_key_key" in plan, plan
        assert "Seq Scan on access_event" not in plan, plan


async def test_outbox_that_was_empty_when_it_was_looked_at_is_taken_by_place(
    owner: asyncpg.Connection, database: Database
) -> None:
    """Its statistics are of such a moment: joined to itself on that assumption, a batch took a second."""
    fill = "INSERT INTO outbox (kind, ref) SELECT 'event', gen_random_uuid() FROM generate_series(1, 20000)"
    await owner.execute(fill)
    await owner.execute("DELETE FROM outbox")
    await owner.execute("ANALYZE outbox")
    async with open_pool(database.index, application_name="test", by_index=True) as pool, pool.acquire() as conn:
        for mode in ("force_custom_plan", "force_generic_plan"):
            await conn.execute(f"SET plan_cache_mode = {mode}")
            for state in ("empty", "full", "vacuumed"):
                if state == "full":
                    await owner.execute(fill)
                plan = "\n".join(row[0] for row in await conn.fetch(f"EXPLAIN {sql.load('indexer', 'outbox_take')}", 9))
                assert "Tid Scan on outbox" in plan and "Seq Scan" not in plan, f"{mode}, {state}: {plan}"
                await owner.execute("DELETE FROM outbox")
                await owner.execute("VACUUM ANALYZE outbox")

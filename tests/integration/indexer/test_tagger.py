"""The tagger's races one by one, and its place beside others."""

from __future__ import annotations

import asyncio
import time

import asyncpg
import pytest

from domain.access import EventKind
from domain.time import DAY_NS, NS, Span
from indexer.counters import Counters
from indexer.errors import IndexMisuseError
from indexer.events.corrections import Replacement, reassign_events, supersede_event, withdraw_event
from indexer.tagger import Tagger, join
from storage.access import event, events
from tests.support.doors.door_log import Gym, add_event, add_member, commit_segment, ensure_days, segment
from tests.support.doors.join import expected_tags, tags_in_force
from tests.support.footage.signed import settle_all

pytestmark = pytest.mark.services
T = 20_500 * DAY_NS


async def test_event_and_segment_committed_at_once_are_tagged(
    owner: asyncpg.Connection, ingest: asyncpg.Connection, pool: asyncpg.Pool, gym: Gym
) -> None:
    await ensure_days(ingest, T)
    async with pool.acquire() as writer:
        one, other = writer.transaction(), ingest.transaction()
        await one.start()
        await other.start()
        await add_event(writer, gym, "front", T + 5 * NS)
        await commit_segment(ingest, segment(gym, gym.cameras[0], T, T + 10 * NS))
        await one.commit()
        tagger = Tagger(pool, Counters(), clock_ns=time.time_ns)
        assert (await tagger.join()).written == 0
        await other.commit()
        assert (await tagger.join()).written == 1
    assert await tags_in_force(owner) == await expected_tags(owner) != set()


async def test_segment_boundary_is_half_open(
    owner: asyncpg.Connection, ingest: asyncpg.Connection, pool: asyncpg.Pool, gym: Gym
) -> None:
    """An event at t covers [t - 5 s, t + 10 s): across midnight it takes the segments of both days, no neighbour."""
    await ensure_days(ingest, T - NS, T)
    for start in range(-3, 3):
        await commit_segment(ingest, segment(gym, gym.cameras[0], T + start * 10 * NS, T + (start + 1) * 10 * NS))
    await add_event(owner, gym, "front", T - 5 * NS)  # [-10 s, +5 s)
    await Tagger(pool, Counters(), clock_ns=time.time_ns).join()
    starts = await owner.fetch("SELECT segment_start_ns FROM tag ORDER BY 1")
    assert [(row[0] - T) // NS for row in starts] == [-10, 0]


async def test_withdrawal_waits_for_a_join_that_saw_the_event(
    owner: asyncpg.Connection, ingest: asyncpg.Connection, pool: asyncpg.Pool, gym: Gym
) -> None:
    await ensure_days(ingest, T)
    event_id = await add_event(owner, gym, "front", T + 5 * NS)
    await commit_segment(ingest, segment(gym, gym.cameras[0], T, T + 10 * NS))
    async with pool.acquire() as first:
        opened = first.transaction()
        await opened.start()
        assert (await join(first, 100, 1)).written == 1
        await withdraw_event(pool, event_id)
        second = asyncio.create_task(Tagger(pool, Counters(), clock_ns=time.time_ns).join())
        await asyncio.sleep(0.1)
        assert not second.done()
        await opened.commit()
    assert (await second).superseded == 1
    assert await tags_in_force(owner) == set()


async def test_shadowed_segment_loses_its_tags(
    owner: asyncpg.Connection, ingest: asyncpg.Connection, pool: asyncpg.Pool, gym: Gym
) -> None:
    await ensure_days(ingest, T)
    await add_event(owner, gym, "front", T + 5 * NS)
    tagger = Tagger(pool, Counters(), clock_ns=time.time_ns)
    assert await commit_segment(ingest, segment(gym, gym.cameras[0], T, T + 10 * NS)) == "live"
    await tagger.join()
    winner = segment(gym, gym.cameras[0], T, T + 10 * NS, epoch=2)
    assert await commit_segment(ingest, winner) == "contested"
    await tagger.join()
    assert len(await tags_in_force(owner)) == 1  # nothing changes before the row is verified
    await settle_all(owner)
    await tagger.join()
    assert {row[1] for row in await tags_in_force(owner)} == {winner.segment_id}
    assert await owner.fetchval("SELECT count(*) FROM tag WHERE superseded_ns IS NOT NULL") == 1


@pytest.mark.parametrize("state", ["expiring", "gone"])
async def test_footage_that_ends_loses_its_tags_and_has_them_again_when_it_is_back(
    owner: asyncpg.Connection, ingest: asyncpg.Connection, pool: asyncpg.Pool, gym: Gym, state: str
) -> None:
    await ensure_days(ingest, T)
    await add_event(owner, gym, "front", T + 5 * NS)
    made = segment(gym, gym.cameras[0], T, T + 10 * NS)
    await commit_segment(ingest, made)
    tagger = Tagger(pool, Counters(), clock_ns=time.time_ns)
    await tagger.join()
    for now, tags in ((state, 0), ("live", 1)):
        await owner.execute("UPDATE segment SET state = $1", now)
        await owner.execute("INSERT INTO outbox (kind, ref) VALUES ('segment', $1)", made.segment_id)
        await tagger.join()
        assert len(await tags_in_force(owner)) == tags


async def test_taggers_side_by_side_write_each_tag_once(
    owner: asyncpg.Connection, ingest: asyncpg.Connection, pool: asyncpg.Pool, gym: Gym
) -> None:
    await ensure_days(ingest, T)
    for n in range(30):
        for camera in gym.cameras:
            await commit_segment(ingest, segment(gym, camera, T + n * 10 * NS, T + (n + 1) * 10 * NS))
        await add_event(owner, gym, "front" if n % 2 else "back", T + n * 10 * NS + 3 * NS)

    async def drain() -> int:
        tagger, written = Tagger(pool, Counters(), clock_ns=time.time_ns, batch=3), 0
        while (joined := await tagger.join()).taken:
            written += joined.written
        return written

    async with asyncio.timeout(30):
        written = sum(await asyncio.gather(*(drain() for _ in range(4))))
    expected = await expected_tags(owner)
    assert await tags_in_force(owner) == expected
    assert written == len(expected)


async def test_corrections_supersede_and_keep_what_was(
    owner: asyncpg.Connection, ingest: asyncpg.Connection, pool: asyncpg.Pool, gym: Gym
) -> None:
    await ensure_days(ingest, T)
    wrong, right = await add_member(owner, number="1", name="A"), await add_member(owner, number="2", name="B")
    for camera in gym.cameras:
        await commit_segment(ingest, segment(gym, camera, T, T + 60 * NS))
    first = await add_event(owner, gym, "front", T + 5 * NS, member_id=wrong)
    await add_event(owner, gym, "front", T + 6 * NS, member_id=wrong)
    tagger = Tagger(pool, Counters(), clock_ns=time.time_ns)
    await tagger.join()
    at_back = Replacement(
        door_id=gym.doors["back"], kind=EventKind.ENTERED, direction=None, member_id=wrong, occurred_ns=T + 7 * NS
    )
    new = await supersede_event(pool, first, at_back)
    with pytest.raises(IndexMisuseError, match="not in force"):
        await supersede_event(pool, first, at_back)
    assert await reassign_events(pool, wrong, right, Span(T, T + 60 * NS)) == 2
    assert await reassign_events(pool, wrong, right, Span(T, T + 60 * NS)) == 0
    await tagger.join()
    assert await event(pool, first) is None and await event(pool, new) is None
    shown = await events(pool, site_ids=[gym.site_id], span=Span(T, T + 60 * NS))
    assert [(row.event.kind, row.event.member_id) for row in shown] == [
        (EventKind.ENTERED, right),
        (EventKind.GRANTED, right),
    ]
    assert await tags_in_force(owner) == await expected_tags(owner)
    assert await owner.fetchval("SELECT count(*) FROM access_event") == 5
    actions = [row["action"] for row in await owner.fetch("SELECT action FROM audit_entry ORDER BY seq")]
    assert actions == ["event_superseded", "events_reassigned", "events_reassigned"]

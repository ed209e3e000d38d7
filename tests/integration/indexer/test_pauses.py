"""A door's last event and its usual pauses, from the events of two weeks; by index however many there are."""

from __future__ import annotations

import uuid
from collections.abc import Sequence

import asyncpg
import pytest

from domain.time import DAY_NS, HOUR_NS, NS
from indexer.events.pauses import KNOWN_EVENTS, door_pauses
from runtime import sql
from tests.support.doors.door_log import Gym

pytestmark = pytest.mark.services
NOW_NS = 20_500 * DAY_NS


async def enter(owner: asyncpg.Connection, gym: Gym, door: str, times_ns: Sequence[int]) -> None:
    await owner.execute(
        "INSERT INTO access_event (event_id, dedup_key, site_id, door_id, kind, occurred_ns, received_ns)"
        " SELECT id, sha256(uuid_send(id)), $1, $2, 'granted', at_ns, at_ns FROM unnest($3::uuid[], $4::bigint[])"
        " AS made (id, at_ns)",
        gym.site_id,
        gym.doors[door],
        [uuid.uuid4() for _ in times_ns],
        list(times_ns),
    )


async def test_longest_pause_of_a_door_that_has_reported_for_a_week(
    owner: asyncpg.Connection, pool: asyncpg.Pool, gym: Gym
) -> None:
    days = [NOW_NS - day * DAY_NS for day in range(1, 10)]
    times = [day + hour * HOUR_NS for day in days for hour in range(16)]  # nights of nine hours
    await enter(owner, gym, "front", times)
    found = (await door_pauses(pool, NOW_NS))[str(gym.doors["front"])]
    assert (found["last_ns"], found["longest_pause_s"]) == (max(times), 9 * 3600)


async def test_without_enough_history_no_pause_is_usual(
    owner: asyncpg.Connection, pool: asyncpg.Pool, gym: Gym
) -> None:
    young = [NOW_NS - DAY_NS + number * NS for number in range(KNOWN_EVENTS)]
    await enter(owner, gym, "front", young)
    assert (await door_pauses(pool, NOW_NS))[str(gym.doors["front"])]["longest_pause_s"] is None
    await enter(owner, gym, "front", [NOW_NS - 8 * DAY_NS])
    assert (await door_pauses(pool, NOW_NS))[str(gym.doors["front"])]["longest_pause_s"] == 7 * 86_400


async def test_door_that_never_reported_is_left_out_and_a_long_silent_one_is_not(
    owner: asyncpg.Connection, pool: asyncpg.Pool, gym: Gym
) -> None:
    assert await door_pauses(pool, NOW_NS) == {}
    await enter(owner, gym, "front", [NOW_NS - 100 * DAY_NS])
    (found,) = (await door_pauses(pool, NOW_NS)).values()
    assert (found["last_ns"], found["longest_pause_s"]) == (NOW_NS - 100 * DAY_NS, None)


async def test_pauses_are_read_by_index(owner: asyncpg.Connection, gym: Gym) -> None:
    await enter(owner, gym, "front", [NOW_NS - number * 60 * NS for number in range(30_000)])
    await owner.execute("ANALYZE")
    rows = await owner.fetch(f"EXPLAIN {sql.load('indexer.events', 'door_pauses')}", NOW_NS - 14 * DAY_NS)
    plan = "\n".join(row[0] for row in rows)
    assert "access_event_door_time" in plan and "Seq Scan on access_event" not in plan, plan

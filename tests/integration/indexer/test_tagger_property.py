"""Tags equal a brute-force join, whatever the order, with transactions forced open side by side.

``TALLENNE_ROUNDS=2000 pytest --hypothesis-seed=1 tests/integration/indexer/test_tagger_property.py`` for a long run.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import asyncpg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from domain.ids import EventId
from domain.time import DAY_NS, NS
from indexer.tagger import join
from runtime import sql
from runtime.database import connect
from tests.conftest import Database
from tests.support.doors.door_log import Gym, add_event, add_gym, commit_segment, ensure_days, segment, settle_segment
from tests.support.doors.join import expected_tags, tags_in_force

pytestmark = pytest.mark.services

ROUNDS = int(os.environ.get("TALLENNE_ROUNDS", "60"))
MIDNIGHT = 20_500 * DAY_NS
"""The events lie around it: segments are in two partitions."""
BLOCKED_S = 0.01
LOSE = """
    WITH lost AS (
        UPDATE segment SET state = 'gone' WHERE state = 'live' AND segment_id = (
            SELECT segment_id FROM segment ORDER BY committed_ns, segment_id OFFSET $1 LIMIT 1)
        RETURNING segment_id)
    INSERT INTO outbox (kind, ref) SELECT 'segment', segment_id FROM lost
"""
SUPERSEDE = sql.load("indexer.events", "events_supersede")

seconds = st.integers(-40, 40).map(lambda s: MIDNIGHT + s * NS)
doors = st.sampled_from(["front", "back"])
epochs = st.integers(1, 3)
lengths = st.sampled_from([1, 10, 60, 120])
who = st.integers(0, 2)
which = st.integers(0, 5)
then = st.sampled_from(["commit", "commit", "stay open"])
steps = st.lists(
    st.one_of(
        st.tuples(st.just("event"), who, then, doors, seconds),
        st.tuples(st.just("segment"), who, then, st.integers(0, 1), seconds, lengths, epochs),
        st.tuples(st.just("withdraw"), who, then, which),
        st.tuples(st.just("replace"), who, then, which, seconds),
        st.tuples(st.just("lose"), who, then, which),
        st.tuples(st.just("end"), who, st.sampled_from(["commit", "rollback"])),
        st.tuples(st.just("join"), who, st.sampled_from(["commit", "stay open"]), st.sampled_from([1, 2, 100])),
        st.tuples(st.just("joined"), who, st.sampled_from(["commit", "rollback"])),
    ),
    min_size=12,
    max_size=60,
)
beginnings = st.tuples(
    st.lists(st.tuples(doors, seconds), min_size=2, max_size=4),
    st.lists(st.tuples(st.integers(0, 1), seconds, lengths), min_size=2, max_size=4),
)


class Actor:
    """A connection with a transaction that stays open until somebody ends it; a step that blocks is left waiting."""

    def __init__(self, conn: asyncpg.Connection) -> None:
        self.conn = conn
        self._transaction: Any = None
        self._step: asyncio.Task[Any] | None = None

    async def do(self, work: Callable[[asyncpg.Connection], Awaitable[Any]], then: str) -> None:
        if self._step is not None and not self._step.done():
            return
        if self._transaction is None:
            self._transaction = self.conn.transaction()
            await self._transaction.start()
        self._step = asyncio.ensure_future(work(self.conn))
        await asyncio.wait((self._step,), timeout=BLOCKED_S)
        if then == "commit":
            await self.end("commit")

    async def end(self, how: str) -> bool:
        """False while it is blocked."""
        if self._step is not None:
            await asyncio.wait((self._step,), timeout=BLOCKED_S)
            if not self._step.done():
                return False
        if self._transaction is not None:
            error = self._step.exception() if self._step is not None else None
            if error is not None and not isinstance(error, asyncpg.DeadlockDetectedError):
                raise error
            broken = error is not None
            await (self._transaction.rollback() if broken or how == "rollback" else self._transaction.commit())
        self._transaction = self._step = None
        return True


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    owner: asyncpg.Connection
    events: list[Actor]
    segments: list[Actor]
    taggers: list[Actor]

    @property
    def actors(self) -> list[Actor]:
        return [*self.taggers, *self.events, *self.segments]


@pytest.fixture
async def world(database: Database, owner: asyncpg.Connection) -> AsyncIterator[World]:
    made = World(
        owner=owner,
        events=[Actor(await connect(database.index)) for _ in range(3)],
        segments=[Actor(await connect(database.owner)) for _ in range(3)],
        taggers=[Actor(await connect(database.index)) for _ in range(3)],
    )
    await ensure_days(made.segments[0].conn, MIDNIGHT - NS, MIDNIGHT)
    yield made
    for actor in made.actors:
        await actor.conn.close()


async def play(world: World, gym: Gym, step: tuple[Any, ...], known: list[EventId]) -> None:
    """known: events that were at least begun; some of them may have been rolled back."""
    match step:
        case ("event", who, then, door, t):

            async def event(conn: asyncpg.Connection) -> None:
                known.append(await add_event(conn, gym, door, t))

            await world.events[who].do(event, then)
        case ("segment", who, then, camera, start, length, epoch):
            made = segment(gym, gym.cameras[camera], start, start + length * NS, epoch=epoch)

            async def settled(conn: asyncpg.Connection) -> None:
                await commit_segment(conn, made)
                await settle_segment(conn, made)

            await world.segments[who].do(settled, then)
        case ("lose", who, then, n):
            await world.segments[who].do(lambda conn: conn.execute(LOSE, n), then)
        case ("withdraw", who, then, n) if known:
            one = [known[n % len(known)]]
            await world.events[who].do(lambda conn: conn.fetch(SUPERSEDE, one, one, 1), then)
        case ("replace", who, then, n, t) if known:
            old = known[n % len(known)]

            async def replace(conn: asyncpg.Connection) -> None:
                if await conn.fetchrow(sql.load("indexer.events", "event_lock"), old) is not None:
                    known.append(await add_event(conn, gym, "back", t))
                    await conn.fetch(SUPERSEDE, [old], [known[-1]], 1)

            await world.events[who].do(replace, then)
        case ("end", who, how):
            await world.events[who].end(how)
            await world.segments[who].end(how)
        case ("join", who, then, batch):
            await world.taggers[who].do(lambda conn: join(conn, batch, 2), then)
        case ("joined", who, how):
            await world.taggers[who].end(how)


async def finish(world: World) -> None:
    """End every transaction, then join what is left."""
    async with asyncio.timeout(20):
        waiting = world.actors
        while waiting:
            waiting = [actor for actor in waiting if not await actor.end("commit")]
        while (await _join_now(world)).taken:
            pass


async def _join_now(world: World) -> Any:
    async with world.taggers[0].conn.transaction():
        return await join(world.taggers[0].conn, 7, 3)


@settings(
    max_examples=ROUNDS,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(begun=beginnings, played=steps)
async def test_tags_equal_brute_force_join(world: World, begun: Any, played: list[tuple[Any, ...]]) -> None:
    await world.owner.execute("TRUNCATE tag, outbox, access_event, segment, segment_identity, door_camera CASCADE")
    gym = await add_gym(world.owner, cameras=2, cameras_a_door=2)
    # A camera moved at midnight: the back door's earlier events are seen by it, its later ones are not.
    moved = (MIDNIGHT, gym.doors["back"], gym.cameras[0])
    await world.owner.execute("UPDATE door_camera SET valid_to_ns = $1 WHERE door_id = $2 AND camera_id = $3", *moved)
    known: list[EventId] = []
    begin = [("event", 0, "commit", *values) for values in begun[0]]
    begin += [("segment", 0, "commit", *values, 2) for values in begun[1]]
    for step in [*begin, *played]:
        await play(world, gym, step, known)
    await finish(world)
    assert await tags_in_force(world.owner) == await expected_tags(world.owner)
    assert await world.owner.fetchval("SELECT count(*) FROM outbox") == 0

"""Disorder of two minutes and a tenth of duplicates, over a hundred cameras and doors: the tags equal a reference join.

The reference is made by numpy from what was generated, not from the database. ``pytest -m long --timeout 3000 -s`` for
a million events; it prints time and memory.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

import asyncpg
import numpy as np
import numpy.typing as npt
import psutil
import pytest

from domain.time import DAY_NS, MINUTE_NS, NS, Span
from indexer.counters import Counters
from indexer.events.quarantine import Quarantine
from indexer.events.receive import Receiver, load_names
from indexer.events.rules import Rules
from indexer.events.skew import SkewTracker
from indexer.tagger import Tagger
from runtime import sql
from storage.catalogue.rows import segment_to_arguments
from tests.support.doors.door_log import AFTER_NS, BEFORE_NS, Gym, add_gym, ensure_days, received, segment
from tests.support.doors.publisher import iso_us

pytestmark = pytest.mark.services

CAMERAS: Final = 100
CAMERAS_A_DOOR: Final = 2
MEMBERS: Final = 1000
DISORDER_NS: Final = 120 * NS
DUPLICATES: Final = 0.1
MORNING: Final = 20_500 * DAY_NS + 6 * 3600 * NS
SEED: Final = int(os.environ.get("TALLENNE_SEED", "11"))

Numbers = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Day:
    """Events by number, messages in the order of arrival (events, some of them twice), footage by camera."""

    occurred_ns: Numbers
    door: Numbers
    member: Numbers
    arrivals: Numbers  # numbers of events
    arrived_ns: Numbers
    footage: list[tuple[Numbers, Numbers]]  # starts and ends, of each camera


def generate(events: int, length_ns: int, seed: int) -> Day:
    """Every event has a microsecond of its own: by it its row is found again."""
    rng = np.random.default_rng(seed)
    microseconds = rng.choice(length_ns // 1000, size=events, replace=False).astype(np.int64)
    occurred_ns = MORNING + microseconds * 1000
    messages = np.concatenate([np.arange(events), rng.integers(0, events, round(events * DUPLICATES))])
    # Nothing arrives before it happens: what seems to is a fast clock's, and placed elsewhere (skew.py).
    arrived_ns = occurred_ns[messages] + rng.integers(0, 2 * DISORDER_NS, len(messages))
    order = np.argsort(arrived_ns)
    footage = [_footage(rng, length_ns) for _ in range(CAMERAS)]
    return Day(
        occurred_ns=occurred_ns,
        door=rng.integers(0, CAMERAS, events),
        member=rng.integers(0, MEMBERS, events),
        arrivals=messages[order],
        arrived_ns=arrived_ns[order],
        footage=footage,
    )


def _footage(rng: np.random.Generator, length_ns: int) -> tuple[Numbers, Numbers]:
    """Segments of about ten seconds without a break, but for one in twelve that is missing."""
    count = length_ns // (9 * NS) + 40
    ends = MORNING - 180 * NS + np.cumsum(rng.integers(9_000, 11_000, count) * 1_000_000)
    starts = np.concatenate([[MORNING - 180 * NS], ends[:-1]])
    kept = rng.random(count) > 1 / 12
    return starts[kept], ends[kept]


def reference(day: Day) -> Numbers:
    """Rows (occurred_ns, camera, start of the segment), sorted: all that overlap, by the definition."""
    pairs = []
    for camera, (starts, ends) in enumerate(day.footage):
        for k in range(CAMERAS_A_DOOR):
            times = day.occurred_ns[day.door == (camera - k) % CAMERAS]
            first = np.searchsorted(ends, times - BEFORE_NS, side="right")  # ends after the span begins
            past = np.searchsorted(starts, times + AFTER_NS, side="left")  # starts before it ends
            counts = past - first
            inside = np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts)
            chosen = starts[np.repeat(first, counts) + inside]
            pairs.append(np.stack([np.repeat(times, counts), np.full(len(chosen), camera), chosen], axis=1))
    return _sorted(np.concatenate(pairs))


def _sorted(rows: Numbers) -> Numbers:
    return rows[np.lexsort(rows.T[::-1])]


async def tags(owner: asyncpg.Connection, gym: Gym) -> Numbers:
    """The same, from the database."""
    parts = []
    number = {camera: n for n, camera in enumerate(gym.cameras)}
    async with owner.transaction():
        cursor = owner.cursor(
            "SELECT e.occurred_ns, t.camera_id, t.segment_start_ns FROM tag t JOIN access_event e USING (event_id)"
            " WHERE t.superseded_ns IS NULL",
            prefetch=50_000,
        )
        chunk: list[tuple[int, int, int]] = []
        async for row in cursor:
            chunk.append((row[0], number[row[1]], row[2]))
            if len(chunk) == 500_000:
                parts.append(np.array(chunk, dtype=np.int64))
                chunk.clear()
    return _sorted(np.concatenate([*parts, np.array(chunk, dtype=np.int64).reshape(-1, 3)]))


class Recorder:
    """Commits each segment when it is over."""

    def __init__(self, conn: asyncpg.Connection, gym: Gym, day: Day) -> None:
        self._conn = conn
        self._waiting = self._segments(gym, day)
        self._next = next(self._waiting, None)

    @staticmethod
    def _segments(gym: Gym, day: Day) -> Iterator[Any]:
        every = [
            (int(end), int(start), camera)
            for camera, (starts, ends) in enumerate(day.footage)
            for start, end in zip(starts, ends, strict=True)
        ]
        for end_ns, start_ns, camera in sorted(every):
            yield segment(gym, gym.cameras[camera], start_ns, end_ns)

    async def until(self, now_ns: int) -> None:
        over = []
        while self._next is not None and self._next.span.end_ns <= now_ns:
            over.append(segment_to_arguments(self._next))
            self._next = next(self._waiting, None)
        if over:
            await self._conn.executemany(sql.load("storage.catalogue", "commit_segment"), over)


async def index(pool: asyncpg.Pool, recorder: Recorder, gym: Gym, day: Day) -> Counters:
    """Messages in batches, as a session brings them; footage beside them; a tagger at work all the while."""
    counters, stop = Counters(), asyncio.Event()
    names = await load_names(pool)
    receiver = Receiver(Rules(gym.rules), names, Quarantine(names), SkewTracker(), counters)
    tagger = Tagger(pool, counters, clock_ns=time.time_ns)
    at_work = asyncio.create_task(tagger.run_once(stop))
    doors = list(gym.doors)
    for n in range(0, len(day.arrivals), 1000):
        await recorder.until(int(day.arrived_ns[n]))
        messages = [
            received(gym.topic(doors[day.door[e]]), _payload(day, e), int(t))
            for e, t in zip(day.arrivals[n : n + 1000], day.arrived_ns[n : n + 1000], strict=True)
        ]
        assert not await receiver.commit(pool, receiver.decode(messages), b"")
        tagger.wake()
    await recorder.until(1 << 62)
    while await pool.fetchval("SELECT EXISTS (SELECT FROM outbox)"):  # noqa: ASYNC110
        await asyncio.sleep(0.1)
    stop.set()
    tagger.wake()
    await at_work
    return counters


def _payload(day: Day, event: int) -> bytes:
    body = {
        "event_id": f"e{event}",
        "occurred_at": iso_us(int(day.occurred_ns[event])),
        "kind": "granted",
        "credential": f"C{day.member[event]:06d}",
    }
    return json.dumps(body).encode()


async def check(owner: asyncpg.Connection, ingest: asyncpg.Connection, pool: asyncpg.Pool, events: int) -> None:
    length_ns = max(10 * MINUTE_NS, events * 14 * NS // 1000)  # seventy events a second at the most
    day = generate(events, length_ns, SEED)
    gym = await add_gym(owner, [f"door{n:02}" for n in range(CAMERAS)], CAMERAS, CAMERAS_A_DOOR)
    await owner.execute(
        "WITH m AS (INSERT INTO member SELECT gen_random_uuid(), 0, false FROM generate_series(1, $1) RETURNING *)"
        " INSERT INTO credential SELECT 'C' || to_char(row_number() OVER () - 1, 'FM000000'), member_id, 0 FROM m",
        MEMBERS,
    )
    whole = Span(MORNING - 600 * NS, MORNING + length_ns + 600 * NS)
    await ensure_days(ingest, *range(whole.start_ns, whole.end_ns + DAY_NS, DAY_NS))
    process, began = psutil.Process(), time.monotonic()
    before = process.memory_info().rss
    with _watched(process) as peak:
        counters = await index(pool, Recorder(ingest, gym, day), gym, day)
    seconds = time.monotonic() - began
    print(
        f"\nseed {SEED}: {events} events in {len(day.arrivals)} messages, {seconds:.1f} s"
        f" ({len(day.arrivals) / seconds:.0f} messages a second), {counters.tags} tags,"
        f" memory {before / 2**20:.0f} MiB before, {peak[0] / 2**20:.0f} MiB at most"
    )
    wanted, found = reference(day), await tags(owner, gym)
    assert len(wanted) > events  # the reference is not empty
    assert np.array_equal(wanted, found), f"{len(wanted)} wanted, {len(found)} found"
    assert counters.committed == events and counters.duplicates == len(day.arrivals) - events
    # The control: one pair less, or another segment, is seen.
    assert not np.array_equal(wanted[1:], found)


@contextlib.contextmanager
def _watched(process: psutil.Process) -> Iterator[list[int]]:
    peak = [0]

    async def watch() -> None:
        while True:
            peak[0] = max(peak[0], process.memory_info().rss)
            await asyncio.sleep(0.2)

    task = asyncio.get_running_loop().create_task(watch())
    try:
        yield peak
    finally:
        task.cancel()


async def test_tags_of_disordered_events_equal_the_reference(
    owner: asyncpg.Connection, ingest: asyncpg.Connection, pool: asyncpg.Pool
) -> None:
    await check(owner, ingest, pool, 20_000)


@pytest.mark.long
async def test_tags_of_a_million_disordered_events_equal_the_reference(
    owner: asyncpg.Connection, ingest: asyncpg.Connection, pool: asyncpg.Pool
) -> None:
    await check(owner, ingest, pool, 1_000_000)

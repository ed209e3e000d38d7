"""What the api reads, as the api's role."""

from __future__ import annotations

from collections.abc import AsyncIterator

import asyncpg
import pytest

from domain.access import EventKind
from domain.time import DAY_NS, MINUTE_NS, NS, Span
from indexer.counters import Counters
from indexer.events.corrections import withdraw_event
from indexer.tagger import Tagger
from runtime.database import open_pool
from storage.access import (
    Cursor,
    event,
    events,
    member,
    members,
    quarantined,
    search_members,
    tags,
    visits,
)
from tests.conftest import Database
from tests.support.doors.door_log import Gym, add_event, add_gym, add_member, commit_segment, ensure_days, segment

pytestmark = pytest.mark.services
T = 20_500 * DAY_NS
DAY = Span(T, T + DAY_NS)


@pytest.fixture
async def serve(database: Database) -> AsyncIterator[asyncpg.Pool]:
    async with open_pool(database.serve, application_name="test") as opened:
        yield opened


async def test_events_come_newest_first_by_pages_with_their_cameras(
    owner: asyncpg.Connection, ingest: asyncpg.Connection, pool: asyncpg.Pool, serve: asyncpg.Pool, gym: Gym
) -> None:
    await ensure_days(ingest, T)
    for n in range(3):
        await commit_segment(ingest, segment(gym, gym.cameras[0], T + n * 10 * NS, T + (n + 1) * 10 * NS))
    ids = [await add_event(owner, gym, "front", T + n // 2 * 10 * NS, kind="held_open") for n in range(6)]
    await Tagger(pool, Counters(), clock_ns=lambda: 1).join()
    whole = await events(serve, site_ids=[gym.site_id], span=DAY)
    assert [row.event.occurred_ns for row in whole] == sorted((row.event.occurred_ns for row in whole), reverse=True)
    paged, before = [], None
    while page := await events(serve, site_ids=[gym.site_id], span=DAY, limit=4, before=before):
        paged += page
        before = Cursor(time_ns=page[-1].event.occurred_ns, row_id=page[-1].event.event_id)
    assert paged == whole and {row.event.event_id for row in whole} == set(ids)
    oldest = whole[-1]
    assert {camera.camera_id: camera.segments for camera in oldest.cameras} == {gym.cameras[0]: 1, gym.cameras[1]: 0}
    assert {camera.span for camera in oldest.cameras} == {Span(T - 5 * NS, T + 10 * NS)}
    (tag,) = await tags(serve, [oldest.event.event_id])
    assert (tag.tag.camera_id, tag.segment, tag.tag.span.start_ns) == (gym.cameras[0], Span(T, T + 10 * NS), T - 5 * NS)


async def test_events_are_filtered_and_withdrawn_ones_left_out(
    owner: asyncpg.Connection, pool: asyncpg.Pool, serve: asyncpg.Pool, gym: Gym
) -> None:
    other = await add_gym(owner)
    asa = await add_member(owner, number="1", name="Åsa")
    one = await add_event(owner, gym, "front", T, member_id=asa)
    two = await add_event(owner, gym, "back", T + NS)
    await add_event(owner, other, "front", T)
    site = [gym.site_id]
    assert [row.event.event_id for row in await events(serve, site_ids=site, span=DAY, member_ids=[asa])] == [one]
    by_door = await events(serve, site_ids=site, span=DAY, door_ids=[gym.doors["back"]])
    assert [row.event.event_id for row in by_door] == [two]
    assert len(await events(serve, site_ids=[gym.site_id, other.site_id], span=DAY)) == 3
    assert await events(serve, site_ids=[], span=DAY) == []
    assert await events(serve, site_ids=site, span=Span(T + 2 * NS, T + DAY_NS)) == []
    await withdraw_event(pool, two)
    assert len(await events(serve, site_ids=site, span=DAY)) == 1
    assert await event(serve, two) is None and await event(serve, one) is not None


async def test_members_are_found_by_name_and_number_whatever_the_case(
    owner: asyncpg.Connection, serve: asyncpg.Pool
) -> None:
    asa = await add_member(owner, number="AB-100", name="asa strom")
    await owner.execute("UPDATE member_identity SET name = 'Åsa Ström'")
    await add_member(owner, number="AB_200", name="bo 100% ek")

    async def found(query: str) -> list[str]:
        return [row.number for row in await search_members(serve, query)]

    assert await found("ÅSA") == await found("strÖM a") == await found("ab-1") == ["AB-100"]
    assert await found("ab") == ["AB-100", "AB_200"]
    assert await found("100%") == await found("%") == await found("ab_2") == ["AB_200"]
    assert await found("  ") == []
    assert await found("x' OR 1=1 --") == []
    row = await member(serve, asa)
    assert row is not None and row.name == "Åsa Ström" and "Åsa" not in repr(row)
    await owner.execute("DELETE FROM member_identity WHERE member_id = $1", asa)
    assert await member(serve, asa) is None
    assert await members(serve, [asa]) == {}


async def test_visits_leave_out_grants_that_nobody_walked_through(
    owner: asyncpg.Connection, serve: asyncpg.Pool, gym: Gym
) -> None:
    asa, bo = await add_member(owner, number="1", name="Åsa"), await add_member(owner, number="2", name="Bo")

    async def at(second: float, kind: EventKind, who: object = asa, door: str = "front", **more: object) -> None:
        await add_event(owner, gym, door, T + round(second * NS), kind=kind.value, member_id=who, **more)

    await at(0, EventKind.GRANTED)
    await at(10, EventKind.NOT_ENTERED)
    await at(100, EventKind.GRANTED)
    await at(105, EventKind.NOT_ENTERED, None)  # the door does not say who
    await at(300, EventKind.GRANTED)
    await at(302, EventKind.GRANTED, bo)
    await at(305, EventKind.NOT_ENTERED, None)  # Bo's, as far as one can tell
    await at(306, EventKind.NOT_ENTERED, None, "back")
    await at(3000, EventKind.EXIT, direction="out")
    await at(50_000, EventKind.GRANTED)
    shown = [
        ((visit.start_ns - T) / NS, None if visit.end_ns is None else (visit.end_ns - T) / NS)
        for visit in await visits(serve, asa, DAY, [gym.site_id])
    ]
    assert shown == [(300.0, 3000.0), (50_000.0, None)]
    assert await visits(serve, bo, DAY, [gym.site_id]) == []
    assert len(await visits(serve, asa, Span(T + 10 * MINUTE_NS, T + 20 * MINUTE_NS), [gym.site_id])) == 1
    assert await visits(serve, asa, DAY, []) == []


async def test_api_reads_no_credentials_and_no_secret(serve: asyncpg.Pool) -> None:
    assert await quarantined(serve) == []
    for table in ("credential", "index_secret"):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await serve.fetch(f"SELECT * FROM {table}")
    for table in ("access_event", "tag", "member", "member_identity", "quarantine"):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await serve.execute(f"DELETE FROM {table}")

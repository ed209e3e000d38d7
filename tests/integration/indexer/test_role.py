"""The whole way: a controller publishes, the indexer commits, acknowledges and tags; or it cannot, and does later."""

from __future__ import annotations

import asyncio
import logging
import os
import pickle
import signal
import sys
import time
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import asyncpg
import pytest

from domain.time import NS, Span
from indexer.events.replay import replay
from indexer.members.importing import import_members
from indexer.mqtt.inbox import Inbox
from indexer.settings import IndexSettings
from pipeline.embedded.broker import Broker
from runtime.database import connect, open_pool
from storage.access import MemberRow, events, quarantined, search_members
from tests.conftest import Database
from tests.support.doors.door_log import (
    Gym,
    add_gym,
    add_member,
    commit_segment,
    door_controller,
    ensure_days,
    index_settings,
    indexer,
    message,
    segment,
    status_of,
)
from tests.support.doors.join import expected_tags, tags_in_force
from tests.support.footage.custodian import custodian, custodian_settings, until

pytestmark = pytest.mark.services


@pytest.fixture
def settings(gym: Gym, database: Database, broker: Broker, tmp_path: Path) -> IndexSettings:
    return index_settings(gym, database.index, broker, tmp_path)


async def counted(owner: asyncpg.Connection, table: str, count: int, *, seconds: float = 120) -> None:
    async def holds() -> bool:
        return bool(await owner.fetchval(f"SELECT count(*) FROM {table}") >= count)

    try:
        await until(holds, seconds=seconds)
    except TimeoutError:
        found = await owner.fetchval(f"SELECT count(*) FROM {table}")
        raise AssertionError(f"{table}: {found} rows, not {count}") from None


async def publish(broker: Broker, topic: str, payloads: list[bytes], *, qos: int = 1, retain: bool = False) -> None:
    async with door_controller(broker) as door:
        for n in range(0, len(payloads), 100):
            await asyncio.gather(*(door.publish(topic, body, qos, retain) for body in payloads[n : n + 100]))


async def test_published_event_is_tagged(
    owner: asyncpg.Connection, ingest: asyncpg.Connection, gym: Gym, broker: Broker, settings: IndexSettings
) -> None:
    member = await add_member(owner, number="100", name="Åsa", credentials=["04A1"])
    now = time.time_ns()
    await ensure_days(ingest, now, now - 20 * NS)
    async with indexer(settings):
        for camera in gym.cameras:
            await commit_segment(ingest, segment(gym, camera, now - 8 * NS, now + 2 * NS))
        await publish(broker, gym.topic("front"), [message("1", now, credential="04:a1")])
        await counted(owner, "tag", 2)
        # A segment that ends up in the catalogue later is tagged as well.
        await commit_segment(ingest, segment(gym, gym.cameras[0], now + 2 * NS, now + 12 * NS))
        await counted(owner, "tag", 3)
        await until(lambda: _says(settings, tags=3, committed=1, outbox_rows=0))
        assert [problem["what"] for problem in status_of(settings)["problems"]] == [
            f"The custodian does not answer at {settings.custodian_socket} (FileNotFoundError)."
        ]
    assert await tags_in_force(owner) == await expected_tags(owner)
    async with open_pool(settings.database, application_name="test") as pool:
        (row,) = await events(pool, site_ids=[gym.site_id], span=Span(now - NS, now + NS), member_ids=[member])
        assert [camera.segments for camera in sorted(row.cameras, key=lambda c: gym.cameras.index(c.camera_id))] == [
            2,
            1,
        ]
    assert not status_of(settings)


async def _says(settings: IndexSettings, **wanted: object) -> bool:
    status = status_of(settings)
    return all(status.get(name) == value for name, value in wanted.items())


async def test_events_published_while_we_are_away_arrive(
    owner: asyncpg.Connection, gym: Gym, broker: Broker, settings: IndexSettings
) -> None:
    async with indexer(settings):
        pass
    now = time.time_ns()
    await publish(broker, gym.topic("front"), [message(str(n), now, kind="held_open") for n in range(2500)])
    async with indexer(settings):
        await counted(owner, "access_event", 2500)
        await until(lambda: _says(settings, committed=2500, duplicates=0, inbox=0))


@pytest.mark.parametrize("place", ["receive.decoded", "receive.committed", "tagger.taken", "tagger.joined"])
async def test_killed_indexer_loses_nothing_and_doubles_nothing(
    owner: asyncpg.Connection,
    ingest: asyncpg.Connection,
    gym: Gym,
    broker: Broker,
    settings: IndexSettings,
    place: str,
) -> None:
    now = time.time_ns()
    await ensure_days(ingest, now, now - 20 * NS)
    await commit_segment(ingest, segment(gym, gym.cameras[0], now - 8 * NS, now + 2 * NS))
    await _killed_at(place, settings, broker, gym, now)
    async with indexer(settings):
        # The embedded broker sends again what was not acknowledged in time, not at once when we come back.
        await counted(owner, "tag", 20, seconds=60)
        await until(lambda: _says(settings, outbox_rows=0, inbox=0))
    assert await owner.fetchval("SELECT count(*) FROM access_event") == 20
    assert await tags_in_force(owner) == await expected_tags(owner)


async def _killed_at(place: str, settings: IndexSettings, broker: Broker, gym: Gym, now: int) -> None:
    """An indexer in a process of its own that dies at ``place`` with twenty events on their way."""
    async with indexer(settings):
        pass  # the session is known to the broker
    await publish(broker, gym.topic("front"), [message(str(n), now, kind="held_open") for n in range(20)])
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "tests.support.processes.index_process",
        stdin=asyncio.subprocess.PIPE,
        env=os.environ | {"TALLENNE_FAILPOINTS": f"{place}=kill@1"},
    )
    await asyncio.wait_for(process.communicate(pickle.dumps(settings)), 30)
    assert process.returncode == -signal.SIGKILL


async def test_retained_event_is_one_event_over_many_subscribes(
    owner: asyncpg.Connection, gym: Gym, broker: Broker, settings: IndexSettings
) -> None:
    now = time.time_ns()
    await publish(broker, gym.topic("front"), [message("1", now, kind="held_open")], retain=True)
    for n in range(3):
        own = replace(settings.broker, client_id=f"{settings.broker.client_id}-{n}")
        async with indexer(replace(settings, broker=own)):
            await counted(owner, "access_event", 1)
            await until(lambda: _received(settings))
    assert await owner.fetchval("SELECT count(*) FROM access_event") == 1
    await publish(broker, gym.topic("front"), [b""], retain=True)


async def _received(settings: IndexSettings) -> bool:
    return int(status_of(settings).get("received", 0)) >= 1


async def test_two_indexers_side_by_side_write_each_event_once(
    owner: asyncpg.Connection, gym: Gym, broker: Broker, settings: IndexSettings
) -> None:
    other = replace(settings, instance="1", broker=replace(settings.broker, client_id=f"{gym.word}-b"))
    now = time.time_ns()
    async with indexer(settings), indexer(other):
        await publish(broker, gym.topic("front"), [message(str(n), now, kind="held_open") for n in range(500)])
        await counted(owner, "access_event", 500)
        await until(lambda: _says(settings, received=500, inbox=0))
    assert await owner.fetchval("SELECT count(*) FROM access_event") == 500


async def test_database_away_holds_messages_and_loses_none(
    owner: asyncpg.Connection, database: Database, gym: Gym, broker: Broker, settings: IndexSettings
) -> None:
    now = time.time_ns()
    async with indexer(settings):
        async with no_connections(database):
            await publish(broker, gym.topic("front"), [message(str(n), now, kind="held_open") for n in range(50)])
            await until(lambda: _degraded(settings))
            assert await owner.fetchval("SELECT count(*) FROM access_event") == 0
        await counted(owner, "access_event", 50)
        await until(lambda: _says(settings, committed=50, inbox=0))


@asynccontextmanager
async def no_connections(database: Database) -> AsyncIterator[None]:
    """The database takes no new connections, and the indexer's present ones are ended."""
    conn = await connect(replace(database.owner, database="postgres"))
    name = database.owner.database
    try:
        await conn.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS false")
        await conn.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'tallenne_index' AND datname = $1",
            name,
        )
        yield
    finally:
        await conn.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS true")
        await conn.close()


async def _degraded(settings: IndexSettings) -> bool:
    return any("database" in problem["what"].lower() for problem in status_of(settings).get("problems", []))


async def test_broker_that_refuses_us_is_told_and_asked_again(
    gym: Gym, broker: Broker, settings: IndexSettings
) -> None:
    wrong = replace(settings, broker=replace(settings.broker, password="no"))
    async with indexer(wrong, ready=False):
        await until(lambda: _problem(wrong, "refuses us"))
        assert status_of(wrong)["state"] == "degraded"
    nobody = replace(settings, broker=replace(settings.broker, port=1))
    async with indexer(nobody, ready=False):
        await until(lambda: _problem(nobody, "does not answer"))


async def _problem(settings: IndexSettings, words: str) -> bool:
    return any(words in problem["what"] for problem in status_of(settings).get("problems", []))


async def test_unknown_credential_is_quarantined_and_replayed_after_the_import(
    owner: asyncpg.Connection,
    database: Database,
    pool: asyncpg.Pool,
    gym: Gym,
    broker: Broker,
    settings: IndexSettings,
    tmp_path: Path,
) -> None:
    """The custodian comes only later: until then the message waits, unacknowledged, and others go past it."""
    now = time.time_ns()
    async with indexer(settings):
        body = message("1", now, credential="04A1", direction="in")
        await publish(broker, gym.topic("front"), [body, message("2", now, kind="held_open")])
        await counted(owner, "access_event", 1)
        await until(lambda: _says(settings, held=1))
        async with custodian(custodian_settings(database.custodian, tmp_path)) as client:
            await counted(owner, "quarantine", 1)
            await until(lambda: _says(settings, held=0, inbox=0, state="ready"))
            report = await replay(pool, client, settings.topics)
            assert (report.looked_at, report.understood, report.still_refused) == (1, 0, 1)
            await import_members(pool, "number,name,credential\n100,Åsa,04a1\n")
            report = await replay(pool, client, settings.topics)
            assert (report.looked_at, report.understood) == (1, 1)
            assert (await replay(pool, client, settings.topics)).looked_at == 0
            await publish(broker, gym.topic("front"), [body])
            await until(lambda: _says(settings, duplicates=1))
    (row,) = await quarantined(pool)
    assert row.replayed_ns is not None and row.size_bytes == 0
    rows = await owner.fetch("SELECT member_id, received_ns FROM access_event WHERE kind = 'granted'")
    assert len(rows) == 1 and rows[0]["member_id"] is not None
    assert rows[0]["received_ns"] < row.replayed_ns


async def test_flood_at_qos_0_is_bounded_and_the_stream_goes_on(
    owner: asyncpg.Connection,
    gym: Gym,
    broker: Broker,
    settings: IndexSettings,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Reading pauses when the inbox is full; nothing that was read is discarded."""
    monkeypatch.setattr("indexer.role.Inbox", lambda: Inbox(messages_max=3))
    now = time.time_ns()
    async with indexer(settings):
        payloads = [message(str(n), now, kind="held_open", padding="x" * 500) for n in range(3000)]
        await publish(broker, gym.topic("front"), payloads, qos=0)
        await counted(owner, "access_event", 3000)
        await until(lambda: _says(settings, inbox=0))
        status = status_of(settings)
    assert status["inbox_pauses"] > 0
    assert status["connections"] == 1


async def test_hostile_payloads_leave_the_stream_going(
    owner: asyncpg.Connection, gym: Gym, broker: Broker, database: Database, settings: IndexSettings, tmp_path: Path
) -> None:
    now = time.time_ns()
    hostile = [b"", b"\xff" * 100, b"[" * 60_000, b"{" * 60_000, b'{"a":' * 9_000, b'"' + b"x" * 64_000 + b'"']
    async with custodian(custodian_settings(database.custodian, tmp_path)), indexer(settings):
        await publish(broker, gym.topic("front"), [*hostile, message("1", now, kind="held_open")])
        await counted(owner, "access_event", 1)
        await counted(owner, "quarantine", len(hostile))
        await until(lambda: _says(settings, state="ready", quarantined=len(hostile)))


async def test_personal_data_is_nowhere_but_in_the_members_tables(
    owner: asyncpg.Connection,
    database: Database,
    ingest: asyncpg.Connection,
    pool: asyncpg.Pool,
    gym: Gym,
    broker: Broker,
    settings: IndexSettings,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Planted: a name, a number, a credential, an e-mail and a birth date. The control: the search finds them."""
    caplog.set_level(logging.DEBUG)
    name, number, credential = "Canaria Canary", "4711000815", "C0FFEEC0FFEE"
    other = {"email": "canary@example.org", "born": "1999-12-31", "username": name}
    planted = [name, number, credential, "canary@example.org", "1999-12-31", "DEADBEEF99"]
    now = time.time_ns()
    await ensure_days(ingest, now, now - 20 * NS)
    async with indexer(settings):
        await import_members(pool, f"number,name,credential,email\n{number},{name},{credential},{other['email']}\n")
        await commit_segment(ingest, segment(gym, gym.cameras[0], now - 8 * NS, now + 2 * NS))
        good = [message("1", now, credential=credential, **other), message("2", now, member_id=number, **other)]
        await publish(broker, gym.topic("front"), good)
        await counted(owner, "tag", 2)  # without a custodian, who would refuse this segment: nobody signed it
        bad = [
            message("3", now, credential="DEADBEEF99", **other),
            message("4", now, kind=name, **other),
            b'{"name": "' + name.encode() + b'"',
        ]
        async with custodian(custodian_settings(database.custodian, tmp_path)):
            await publish(broker, gym.topic("front"), bad)
            await counted(owner, "quarantine", 3)
            await until(lambda: _says(settings, quarantined=3))
        shown = [repr(status_of(settings)), caplog.text, repr(await search_members(pool, "canar"))]
    kept = {"member_identity", "credential"}
    found = await text_of_tables(owner)
    for word in planted:
        hexed = word.encode().hex()
        where = {table for table, text in found.items() if word.lower() in text.lower() or hexed in text.lower()}
        assert where <= kept, word
        assert not any(word in text for text in shown), word
    # The control.
    assert name in found["member_identity"] and number in found["member_identity"] and credential in found["credential"]
    assert {"segment", "access_event", "tag", "quarantine", "audit_entry", "controller_skew"} <= found.keys()
    (member,) = await search_members(pool, "canar")
    assert isinstance(member, MemberRow) and member.name == name


async def text_of_tables(owner: asyncpg.Connection) -> dict[str, str]:
    """All rows as text, by table."""
    tables = "SELECT relname FROM pg_class WHERE relkind IN ('r', 'p') AND relnamespace = 'tallenne'::regnamespace"
    found: dict[str, str] = {}
    for table in [row["relname"] for row in await owner.fetch(tables)]:
        rows = await owner.fetch(f"SELECT t::text, to_jsonb(t)::text FROM {table} t")
        found[table] = "".join(f"{row[0]}{row[1]}" for row in rows)
    return found


async def test_sites_of_one_broker_do_not_mix(
    owner: asyncpg.Connection, database: Database, gym: Gym, broker: Broker, tmp_path: Path
) -> None:
    second = await add_gym(owner, doors=("front",))
    now = time.time_ns()
    both = index_settings(gym, database.index, broker, tmp_path, topics=(*gym.rules, *second.rules))
    async with indexer(both):
        await publish(broker, gym.topic("front"), [message("1", now, kind="held_open")])
        await publish(broker, second.topic("front"), [message("1", now, kind="held_open")])
        await counted(owner, "access_event", 2)
    rows = await owner.fetch("SELECT site_id, door_id FROM access_event")
    assert {tuple(row) for row in rows} == {
        (gym.site_id, gym.doors["front"]),
        (second.site_id, second.doors["front"]),
    }
    assert uuid.UUID(int=0) not in {row["site_id"] for row in rows}

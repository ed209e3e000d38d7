"""The broker forgets who gets the messages, and goes on calling the session present: it is noticed and made anew."""

from __future__ import annotations

import asyncio
import json
import tempfile
import time
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from indexer.mqtt import echo, session
from indexer.settings import IndexSettings
from pipeline.embedded import broker as embedded
from pipeline.embedded.accounts import ECHO_TOPIC
from pipeline.embedded.broker import Broker, start_broker
from tests.conftest import Database
from tests.integration.indexer.test_role import counted, publish
from tests.support.doors.door_log import Gym, index_settings, indexer, message, status_of
from tests.support.footage.custodian import until

pytestmark = pytest.mark.services


@pytest.fixture
async def deaf_broker(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> AsyncIterator[Broker]:
    """With a user who may do everything, over NATS's own protocol: only such a one can do this to us."""
    honest = embedded._settings

    def with_admin(passwords: dict[str, str], ports: tuple[int, int], topics: Sequence[str]) -> dict[str, Any]:
        made: dict[str, Any] = dict(honest(passwords, ports, topics))
        made["authorization"]["users"].append({"user": "admin", "password": "admin-password"})
        return made

    monkeypatch.setattr(embedded, "_settings", with_admin)
    with tempfile.TemporaryDirectory() as folder:
        broker = start_broker(Path(folder) / "broker", log=tmp_path / "log", topics=("access/#",))
        try:
            yield broker
        finally:
            broker.stop()


async def ask(broker: Broker, subject: str) -> dict[str, Any]:
    """A request to JetStream's API."""
    reader, writer = await asyncio.open_connection("127.0.0.1", broker.client_port)
    words = {"user": "admin", "pass": "admin-password", "verbose": False, "protocol": 1}
    writer.write(f"CONNECT {json.dumps(words)}\r\nSUB answer 1\r\nPUB {subject} answer 0\r\n\r\n".encode())
    try:
        async with asyncio.timeout(10):
            while not (line := await reader.readline()).startswith(b"MSG"):
                assert line, "the broker ended the connection"
            answer: dict[str, Any] = json.loads(await reader.readexactly(int(line.split()[-1])))
            return answer
    finally:
        writer.close()
        await writer.wait_closed()


async def forget_consumers(broker: Broker) -> int:
    names = (await ask(broker, "$JS.API.CONSUMER.NAMES.$MQTT_msgs"))["consumers"]
    for name in names:
        assert (await ask(broker, f"$JS.API.CONSUMER.DELETE.$MQTT_msgs.{name}"))["success"]
    return len(names)


@pytest.fixture
def settings(gym: Gym, database: Database, deaf_broker: Broker, tmp_path: Path) -> IndexSettings:
    made = index_settings(gym, database.index, deaf_broker, tmp_path)
    return replace(made, broker=replace(made.broker, echo_topic=ECHO_TOPIC))


async def event_after_the_broker_forgot(
    owner: asyncpg.Connection, gym: Gym, broker: Broker, settings: IndexSettings
) -> int:
    """How many of two events arrive: one before, one well after."""
    async with indexer(settings):
        await publish(broker, gym.topic("front"), [message("1", time.time_ns(), kind="held_open")])
        await counted(owner, "access_event", 1)
        assert await forget_consumers(broker) >= 1
        await asyncio.sleep(4)
        await publish(broker, gym.topic("front"), [message("2", time.time_ns(), kind="held_open")])
        await asyncio.sleep(2)
        return int(await owner.fetchval("SELECT count(*) FROM access_event"))


async def test_session_that_hears_nothing_any_more_is_made_anew_and_it_is_said(
    owner: asyncpg.Connection,
    gym: Gym,
    deaf_broker: Broker,
    settings: IndexSettings,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(session, "EVERY_S", 0.2)
    monkeypatch.setattr(echo, "DEAF_AFTER_S", 1.5)
    async with indexer(settings):
        await publish(deaf_broker, gym.topic("front"), [message("1", time.time_ns(), kind="held_open")])
        await counted(owner, "access_event", 1)
        assert await forget_consumers(deaf_broker) >= 1

        async def made_anew() -> bool:
            return bool(status_of(settings).get("sessions_lost") == 1 and status_of(settings)["subscribed"])

        await until(made_anew, seconds=60)
        await publish(deaf_broker, gym.topic("front"), [message("2", time.time_ns(), kind="held_open")])
        await counted(owner, "access_event", 2)
        assert any("forgot" in problem["what"] for problem in status_of(settings)["problems"])


async def test_session_that_listens_for_no_echo_stays_deaf(
    owner: asyncpg.Connection, gym: Gym, deaf_broker: Broker, settings: IndexSettings
) -> None:
    """Positive control: the broker really delivers nothing, and calls the session present."""
    without = replace(settings, broker=replace(settings.broker, echo_topic=""))
    assert await event_after_the_broker_forgot(owner, gym, deaf_broker, without) == 1

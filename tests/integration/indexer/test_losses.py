"""What a broker loses is told: mosquitto with its default limits, and one that forgets its sessions."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import aiomqtt
import asyncpg
import pytest

from indexer.settings import IndexSettings
from pipeline.embedded.broker import Broker
from tests.conftest import Database
from tests.support.doors.door_log import Gym, door_controller, index_settings, indexer, message, status_of
from tests.support.doors.mosquitto import Mosquitto, needs_mosquitto
from tests.support.footage.custodian import until

pytestmark = pytest.mark.services
DEFAULT_LIMITS = ""


@pytest.fixture
async def mosquitto(tmp_path: Path) -> AsyncIterator[Mosquitto]:
    started = Mosquitto(tmp_path / "mosquitto", DEFAULT_LIMITS)
    started.start()
    yield started
    started.stop()


@pytest.fixture
def settings(gym: Gym, database: Database, broker: Broker, mosquitto: Mosquitto, tmp_path: Path) -> IndexSettings:
    embedded = index_settings(gym, database.index, broker, tmp_path)
    return replace(embedded, broker=mosquitto.settings("index"))


async def publish(door: aiomqtt.Client, gym: Gym, first: int, past: int) -> None:
    for seq in range(first, past):
        body = message(str(seq), time.time_ns(), kind="held_open", seq=seq)
        await door.publish(gym.topic("front"), body, qos=1)


def controller(mosquitto: Mosquitto) -> aiomqtt.Client:
    word = mosquitto.passwords["tallenne_doors"]
    return aiomqtt.Client("127.0.0.1", mosquitto.port, username="tallenne_doors", password=word)


def problems(settings: IndexSettings) -> str:
    return " ".join(problem["what"] for problem in status_of(settings).get("problems", []))


@needs_mosquitto
async def test_default_queue_limit_of_mosquitto_is_told(
    owner: asyncpg.Connection,
    gym: Gym,
    settings: IndexSettings,
    mosquitto: Mosquitto,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It keeps 1,000 messages for whoever is away and discards the rest, acknowledged though they are."""
    monkeypatch.setattr("indexer.events.sequence.GRACE_NS", 0)

    async def lost() -> bool:
        status = status_of(settings)
        return bool(status.get("broker_dropped") and status.get("sequence_missing"))

    async with controller(mosquitto) as door:
        async with indexer(settings):
            await publish(door, gym, 1, 101)
            await until(lambda: arrived(owner, 100))
        await publish(door, gym, 101, 1501)
        async with indexer(settings):
            # mosquitto discards the newest: what comes afterwards shows which numbers are missing.
            await until(lambda: arrived(owner, 1100))
            await publish(door, gym, 1501, 1511)
            await until(lost)
            events = await owner.fetchval("SELECT count(*) FROM access_event")
            assert status_of(settings)["sequence_missing"] == 1510 - events

            async def all_told() -> bool:
                return bool(status_of(settings)["broker_dropped"] == 1510 - events)

            await until(all_told)  # mosquitto says it now and then
            assert status_of(settings)["state"] == "degraded"
            told = problems(settings)
        assert f"{1510 - events} messages of 1 doors never arrived" in told
        assert f"discarded {1510 - events} messages" in told
        # It is remembered.
        async with indexer(settings):
            await until(lost)


async def arrived(owner: asyncpg.Connection, count: int) -> bool:
    return bool(await owner.fetchval("SELECT count(*) FROM access_event") >= count)


@needs_mosquitto
async def test_forgotten_session_is_told(
    owner: asyncpg.Connection, gym: Gym, settings: IndexSettings, mosquitto: Mosquitto
) -> None:
    async def told() -> bool:
        return "forgot our session" in problems(settings)

    async with indexer(settings):
        mosquitto.kill()  # before it has saved its state
        mosquitto.start()
        await until(told)
        assert status_of(settings)["sessions_lost"] == 1


async def test_embedded_broker_without_such_a_topic_is_left_alone(
    owner: asyncpg.Connection, gym: Gym, broker: Broker, database: Database, tmp_path: Path
) -> None:
    settings = index_settings(gym, database.index, broker, tmp_path)
    async with indexer(settings), door_controller(broker) as door:
        await publish(door, gym, 1, 11)
        await publish(door, gym, 5, 8)  # again
        await until(lambda: arrived(owner, 10))
        status = status_of(settings)
        assert (status["connections"], status["broker_dropped"], status["sequence_missing"]) == (1, 0, 0)
    assert await owner.fetchval("SELECT last_seq FROM door_sequence") == 10

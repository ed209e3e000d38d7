"""Two installations at one broker: each receives its own events, and one client id used twice is named."""

from __future__ import annotations

import asyncio
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
from tests.support.doors.door_log import Gym, add_gym, index_settings, indexer, message, status_of
from tests.support.doors.mosquitto import Mosquitto, needs_mosquitto
from tests.support.footage.custodian import until

pytestmark = [pytest.mark.services, needs_mosquitto]


@pytest.fixture
async def mosquitto(tmp_path: Path) -> AsyncIterator[Mosquitto]:
    started = Mosquitto(tmp_path / "mosquitto")
    started.start()
    yield started
    started.stop()


def settings_of(
    gym: Gym, database: Database, broker: Broker, mosquitto: Mosquitto, folder: Path, client_id: str
) -> IndexSettings:
    folder.mkdir()
    settings = index_settings(gym, database.index, broker, folder)
    return replace(settings, broker=mosquitto.settings(client_id))


def told(settings: IndexSettings) -> str:
    return " ".join(problem["what"] for problem in status_of(settings).get("problems", []))


async def test_one_client_id_used_twice_is_named_by_both(
    owner: asyncpg.Connection, database: Database, broker: Broker, mosquitto: Mosquitto, tmp_path: Path
) -> None:
    gyms = [await add_gym(owner), await add_gym(owner)]
    one, other = (settings_of(gym, database, broker, mosquitto, tmp_path / gym.word, "the-same") for gym in gyms)

    async def named() -> bool:
        return all("'the-same'" in told(settings) for settings in (one, other))

    async with indexer(one), indexer(other, ready=False):
        await until(named)
        assert status_of(one)["state"] == "degraded"


async def test_a_client_that_comes_once_is_not_complained_of(
    owner: asyncpg.Connection, database: Database, broker: Broker, mosquitto: Mosquitto, gym: Gym, tmp_path: Path
) -> None:
    settings = settings_of(gym, database, broker, mosquitto, tmp_path / "one", "index")
    word = mosquitto.passwords["tallenne_index"]
    async with indexer(settings):
        async with aiomqtt.Client(
            "127.0.0.1", mosquitto.port, username="tallenne_index", password=word, identifier="index"
        ):
            await asyncio.sleep(0)

        async def again() -> bool:
            return status_of(settings).get("connections") == 2 and bool(status_of(settings)["subscribed"])

        await until(again)
        assert "client id" not in told(settings)


async def test_each_with_its_own_receives_its_own_events(
    owner: asyncpg.Connection, database: Database, broker: Broker, mosquitto: Mosquitto, tmp_path: Path
) -> None:
    gyms = [await add_gym(owner), await add_gym(owner)]
    settings = [settings_of(gym, database, broker, mosquitto, tmp_path / gym.word, gym.word) for gym in gyms]
    word = mosquitto.passwords["tallenne_doors"]

    async def arrived() -> bool:
        return await _events(owner, gyms) == [40, 40]

    async with indexer(settings[0]), indexer(settings[1]):
        async with aiomqtt.Client("127.0.0.1", mosquitto.port, username="tallenne_doors", password=word) as door:
            for n in range(40):
                for gym in gyms:
                    await door.publish(gym.topic("front"), message(str(n), time.time_ns(), kind="held_open"), qos=1)
        await until(arrived)
        assert [status_of(one)["quarantined"] for one in settings] == [0, 0]


async def _events(owner: asyncpg.Connection, gyms: list[Gym]) -> list[int]:
    query = "SELECT count(*) FROM access_event WHERE site_id = $1"
    return [await owner.fetchval(query, gym.site_id) for gym in gyms]

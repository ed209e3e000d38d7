"""Oversized messages end at the broker, and the doors beside them go on."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import asyncpg
import paho.mqtt.client as paho
import pytest

from pipeline.embedded.broker import MAX_PAYLOAD_BYTES
from tests.conftest import Database
from tests.support.doors.door_log import Gym, index_settings, indexer, message, status_of
from tests.support.doors.mosquitto import Mosquitto, needs_mosquitto
from tests.support.footage.custodian import until
from tests.support.processes.brokers import Nats

pytestmark = pytest.mark.services


@pytest.fixture(params=["embedded", pytest.param("mosquitto", marks=needs_mosquitto)])
def any_broker(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Any]:
    made = Nats(tmp_path / "nats") if request.param == "embedded" else Mosquitto(tmp_path / "mosquitto")
    made.start()
    quiet = isinstance(made, Mosquitto)
    yield SimpleNamespace(port=made.settings("x").port, passwords=made.passwords, discards_quietly=quiet)
    made.stop()


def publish(broker: Any, topic: str, payload: bytes) -> bool:
    """Whether the broker acknowledged it; a connection of its own, as the broker may end it."""
    client = paho.Client(paho.CallbackAPIVersion.VERSION2)
    client.username_pw_set("tallenne_doors", broker.passwords["tallenne_doors"])
    client.connect("127.0.0.1", broker.port)
    client.loop_start()
    info = client.publish(topic, payload, qos=1)
    deadline = time.monotonic() + 2
    while not info.is_published() and time.monotonic() < deadline:
        time.sleep(0.02)
    client.loop_stop()
    client.disconnect()
    return bool(info.is_published())


async def test_message_over_the_limit_does_not_reach_the_indexer(
    owner: asyncpg.Connection, gym: Gym, database: Database, any_broker: Any, tmp_path: Path
) -> None:
    settings = index_settings(gym, database.index, any_broker, tmp_path)
    now = time.time_ns()

    def padded(size: int, event_id: str) -> bytes:
        body = message(event_id, now, kind="held_open", padding="")
        return json.dumps(json.loads(body) | {"padding": "x" * (size - len(body))}).encode()

    room = 200  # for the topic: mosquitto counts it in
    async with indexer(settings):
        assert publish(any_broker, gym.topic("front"), padded(MAX_PAYLOAD_BYTES - room, "fits"))
        acknowledged = publish(any_broker, gym.topic("front"), padded(MAX_PAYLOAD_BYTES + 1, "does not"))
        # mosquitto acknowledges what it discards: README.md says so.
        assert acknowledged == any_broker.discards_quietly
        assert publish(any_broker, gym.topic("front"), message("after", now, kind="held_open"))

        async def both() -> bool:
            return bool(await owner.fetchval("SELECT count(*) FROM access_event") == 2)

        await until(both)
        assert status_of(settings)["connections"] == 1
    assert await owner.fetchval("SELECT count(*) FROM access_event") == 2
    assert await owner.fetchval("SELECT count(*) FROM quarantine") == 0

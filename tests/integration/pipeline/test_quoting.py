"""Whatever is put into another program's configuration means the same there: random names against the real programs."""

from __future__ import annotations

import asyncio
import hashlib
import random
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import aiomqtt
import pytest

from indexer.events.rules import topic_matches_sub
from pipeline.embedded.broker import Broker, start_broker
from pipeline.embedded.nats import topic_fault
from pipeline.embedded.postgres import start_postgres
from pipeline.embedded.store import start_store
from runtime.database import connect
from storage.store import open_store

pytestmark = pytest.mark.services
SIGNS = "ab/////..$\"'\\{}[]()<>*=#:;,%&?!^~`|@_-äöåü日🏋\u200d\u00a0\u202e"


def topics(seed: int, count: int) -> list[str]:
    """Random topics that MQTT allows and the embedded broker can carry, none under ``$``."""
    source = random.Random(seed)
    found: set[str] = set()
    while len(found) < count:
        topic = "".join(source.choices(SIGNS, k=source.randint(1, 12))).replace("#", "")
        if topic and not topic.startswith("$") and not topic_fault(topic):
            found.add(topic)
    return sorted(found)


def filters(seed: int, listed: list[str]) -> dict[str, str]:
    """A filter for each topic: itself, with one level for any, or with all that follows."""
    source = random.Random(seed)
    found = {}
    for topic in listed:
        levels = topic.split("/")
        place = source.randrange(len(levels))
        kind = source.randrange(3)
        wild = [*levels[:place], "+", *levels[place + 1 :]] if kind == 1 else [*levels[:place], "#"]
        found[topic] = topic if kind == 0 or not place else "/".join(wild)
    return found


@contextmanager
def broker_for(topics: list[str], folder: str = "broker") -> Iterator[Broker]:
    with tempfile.TemporaryDirectory(prefix="tallenne-") as made:
        root = Path(made)
        running = start_broker(root / folder, log=root / "log", topics=topics)
        try:
            yield running
        finally:
            running.stop()


def client(broker: Broker, user: str) -> aiomqtt.Client:
    return aiomqtt.Client("127.0.0.1", broker.port, username=user, password=broker.passwords[user])


async def heard(broker: Broker, topic: str, pattern: str) -> str:
    """Under which topic a message arrives that is published to ``topic``."""
    async with client(broker, "tallenne_index") as listener, client(broker, "tallenne_doors") as door:
        (code,) = await listener.subscribe(pattern, qos=1)
        assert code.value == 1, (topic, pattern)
        await door.publish(topic, topic.encode(), qos=1)
        async with asyncio.timeout(20):
            async for message in listener.messages:  # a wide filter hears the other topics, too
                if message.payload == topic.encode():
                    return message.topic.value
    raise AssertionError("it did not arrive")


@pytest.mark.parametrize("seed", [1, 2])
async def test_every_topic_that_is_allowed_arrives_as_it_was_sent(seed: int) -> None:
    listed = topics(seed, 60)
    patterns = filters(seed, listed)
    with broker_for(list(patterns.values())) as broker:
        for topic, pattern in patterns.items():
            assert await heard(broker, topic, pattern) == topic


async def test_nothing_else_is_allowed() -> None:
    """What NATS lets be subscribed to is what MQTT says the filters cover."""
    listed = topics(3, 120)
    allowed = [pattern for pattern in filters(3, listed[::4]).values() if pattern not in ("#", "+/#")]
    with broker_for(allowed) as broker:
        async with client(broker, "tallenne_index") as listener:
            for topic in listed:
                covered = any(topic_matches_sub(pattern, topic) for pattern in allowed)
                (code,) = await listener.subscribe(topic, qos=1)
                assert (code.value == 1) == covered, (topic, allowed)
                await listener.unsubscribe(topic)


async def test_as_many_topics_as_a_chain_of_gyms_has() -> None:
    listed = [f"gym-{n}/doors/#" for n in range(90)]
    with broker_for(listed) as broker:
        async with client(broker, "tallenne_index") as listener:
            codes = await listener.subscribe([(topic, 1) for topic in listed])
            assert [code.value for code in codes] == [1] * len(listed)


@pytest.mark.parametrize("folder", ["Työpöytä", "Gym (1) x", 'a"b\\c', "it's $HOME;,=#{}[]%41~", "日本 🏋", "-x"])
async def test_broker_in_any_folder(folder: str) -> None:
    with broker_for(["access/#"], folder) as broker:
        assert await heard(broker, "access/a/b", "access/#") == "access/a/b"
        assert (broker.directory / "jetstream" / "jetstream").is_dir()


FOLDERS = [
    "Työpöytä",
    "Gym (1) x",
    'a"b\\c',
    "it's $HOME;,=#{}[]%41~",
    "日本 🏋",
    "-x",
    "a,b",
    " blank ",
    "~",
    "100% *?",
]


def names(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir()]


@pytest.mark.parametrize("folder", FOLDERS)
async def test_store_in_any_folder(folder: str, tmp_path: Path) -> None:
    with tempfile.TemporaryDirectory(prefix="tallenne-") as made:
        store = start_store(Path(made) / folder, log=tmp_path / "log")
        try:
            async with open_store(store.settings) as opened:
                await opened.ensure_bucket()
                await opened.put_new("v1/x", b"x", size_bytes=1, sha256=hashlib.sha256(b"x").digest())
                assert await opened.get_range("v1/x", 0, 1) == b"x"
        finally:
            store.stop()
        assert names(Path(made) / folder / "data")
        assert names(Path(made)) == [folder]


@pytest.mark.parametrize("folder", [*FOLDERS, "x" * 120])
async def test_database_in_any_folder(folder: str, tmp_path: Path) -> None:
    with tempfile.TemporaryDirectory(prefix="tallenne-") as made:
        postgres = start_postgres(Path(made) / folder, log=tmp_path / "log", durable=False)
        try:
            conn = await connect(postgres.settings())
            assert await conn.fetchval("SELECT 1") == 1
            await conn.close()
        finally:
            postgres.stop()
        assert names(Path(made)) == [folder]

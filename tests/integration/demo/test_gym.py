"""The role as a whole: cameras that are read, doors that a broker hears, a file that says what was published."""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import aiomqtt
import av
import pytest

from demo.doors import DoorEvent, Doors
from demo.members import read_credentials, write_members_csv
from demo.role import run
from demo.settings import DemoCamera, DemoDoor, DemoSettings
from demo.traffic import Traffic
from demo.video import strip
from domain.time import from_iso
from pipeline.embedded.accounts import DOORS_USER, INDEX_USER
from pipeline.embedded.broker import Broker
from tests.support.footage.recording import until

DOORS = (
    DemoDoor(external_id="main", site="demo-gym", name="Main entrance"),
    DemoDoor(external_id="back", site="demo-gym", name="Back door"),
)


@pytest.fixture
def settings(tmp_path: Path, broker: Broker) -> DemoSettings:
    write_members_csv(tmp_path / "members.csv")
    return DemoSettings(
        cameras=(
            DemoCamera(number=1, name="Hall", path="/camera/1", door_external_ids=("main",)),
            DemoCamera(number=2, name="Yard", path="/camera/2", door_external_ids=("main", "back")),
        ),
        doors=DOORS,
        rtsp_user="recorder",
        rtsp_password="open sesame",
        broker_port=broker.port,
        broker_user=DOORS_USER,
        broker_password=broker.passwords[DOORS_USER],
        run_directory=tmp_path,
        members_csv=tmp_path / "members.csv",
        event_interval_s=0.2,
    )


@pytest.fixture
async def heard(broker: Broker) -> AsyncIterator[list[tuple[str, dict[str, Any]]]]:
    """What a subscriber hears."""
    messages: list[tuple[str, dict[str, Any]]] = []

    async def listen(ready: asyncio.Event) -> None:
        async with aiomqtt.Client(
            "127.0.0.1", broker.port, username=INDEX_USER, password=broker.passwords[INDEX_USER]
        ) as client:
            await client.subscribe("access/demo-gym/+", qos=1)
            ready.set()
            async for message in client.messages:
                assert isinstance(message.payload, bytes)
                messages.append((message.topic.value, json.loads(message.payload)))

    ready = asyncio.Event()
    task = asyncio.create_task(listen(ready))
    await asyncio.wait_for(ready.wait(), 10)
    yield messages
    task.cancel()
    await asyncio.wait([task])


def status(settings: DemoSettings) -> dict[str, Any]:
    try:
        return json.loads((settings.run_directory / "demo-0.json").read_text())
    except (OSError, ValueError):
        return {"state": "none"}


async def until_ready(settings: DemoSettings) -> dict[str, Any]:
    async with asyncio.timeout(20):
        while (said := status(settings))["state"] != "ready":  # noqa: ASYNC110 (a file)
            await asyncio.sleep(0.05)
    return said


def look(url: str, frames: int) -> list[tuple[int, int] | None]:
    with av.open(url, options={"rtsp_transport": "tcp"}, timeout=10) as container:
        pictures = container.decode(video=0)
        return [strip.read(next(pictures).to_ndarray(format="gray")) for _ in range(frames)]


async def test_gym_runs_until_stopped(settings: DemoSettings, heard: list[tuple[str, dict[str, Any]]]) -> None:
    stop = asyncio.Event()
    gym = asyncio.create_task(run(settings, stop))
    said = await until_ready(settings)
    url = f"rtsp://recorder:open%20sesame@127.0.0.1:{said['port']}"
    first, second = await asyncio.gather(*(asyncio.to_thread(look, f"{url}/camera/{n}", 30) for n in (1, 2)))
    assert {read[1] for read in first if read} == {1} and {read[1] for read in second if read} == {2}
    await until(lambda: all(camera["frames"] >= 30 for camera in status(settings)["cameras"]))
    await until(lambda: status(settings)["events"]["granted"] > 3)
    assert status(settings)["state"] == "ready"
    stop.set()
    await asyncio.wait_for(gym, 60)
    assert status(settings)["state"] == "none"
    lines = [json.loads(line) for line in (settings.run_directory / "demo-events.jsonl").read_text().splitlines()]
    await until(lambda: len(heard) == len(lines))
    assert [line["event_id"] for line in lines] == [message["event_id"] for _, message in heard]
    for line, (topic, message) in zip(lines, heard, strict=True):
        assert topic == f"access/demo-gym/{line['door']}" and line["site"] == "demo-gym"
        assert from_iso(message["occurred_at"]) == line["occurred_ns"]
        assert (message["kind"], message["credential"]) == (line["kind"], line["credential"])
        assert set(message) == {"event_id", "occurred_at", "kind", "credential", "direction"}


async def test_events_wait_for_a_broker_that_is_away(
    settings: DemoSettings, broker: Broker, heard: list[tuple[str, dict[str, Any]]]
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    valid, _ = read_credentials(settings.members_csv, 0)
    seen: list[DoorEvent] = []
    doors = Doors(
        replace(settings, broker_port=port),
        Traffic(DOORS, valid, interval_s=0.2, seed=1),
        lambda event, _: seen.append(event),
    )
    stop = asyncio.Event()
    task = asyncio.create_task(doors.run(stop))
    await until(lambda: doors.broker_away and bool(seen))
    assert not heard

    async def forward(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        inner = await asyncio.open_connection("127.0.0.1", broker.port)

        async def pump(source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
            while data := await source.read(4096):
                target.write(data)
            target.close()

        await asyncio.gather(pump(reader, inner[1]), pump(inner[0], writer))

    async with await asyncio.start_server(forward, "127.0.0.1", port):
        await until(lambda: not doors.broker_away and bool(heard))
        stop.set()
        await asyncio.wait_for(task, 60)
        await until(lambda: len(heard) == len(seen))
    assert not doors.broker_away
    assert [message["event_id"] for _, message in heard] == [str(event.event_id) for event in seen]


async def test_gym_without_a_members_list_says_what_is_missing(settings: DemoSettings) -> None:
    settings.members_csv.unlink()
    with pytest.raises(Exception, match=r"members\.csv cannot be read"):
        await run(settings, asyncio.Event())

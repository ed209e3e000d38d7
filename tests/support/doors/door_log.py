"""A gym's doors, cameras, members and segments as rows, and door messages as a controller sends them."""

from __future__ import annotations

import asyncio
import json
import uuid
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiomqtt
import asyncpg

from domain.footage import Codec, Segment
from domain.ids import CameraId, DoorId, EventId, HourKeyId, MemberId, RecorderId, SegmentId, SiteId
from domain.time import NS, Span, day_of, to_iso
from indexer import role
from indexer.mqtt.driver import Received
from indexer.settings import BrokerSettings, DoorSettings, IndexSettings, TopicRule
from pipeline.embedded.broker import Broker
from runtime import sql
from runtime.settings import DatabaseSettings
from runtime.status import read_status_files
from storage.catalogue.inventory import CameraEntry, DoorEntry, Inventory, MappingEntry, SiteEntry, apply_inventory
from storage.catalogue.rows import segment_to_arguments

BEFORE_NS, AFTER_NS = 5 * NS, 10 * NS


@dataclass(frozen=True, slots=True, kw_only=True)
class Gym:
    """One site. ``word`` is its level in topics, so that tests sharing a broker do not hear one another."""

    word: str
    site_id: SiteId
    doors: dict[str, DoorId]
    cameras: list[CameraId]
    mappings: list[MappingEntry]
    ids_restart: bool = False

    @property
    def rules(self) -> tuple[TopicRule, ...]:
        pattern = f"access/{self.word}/+"
        return (TopicRule(pattern=pattern, decoder="native", site_id=self.site_id, ids_restart=self.ids_restart),)

    def topic(self, door: str) -> str:
        return f"access/{self.word}/{door}"

    def inventory(self) -> Inventory:
        return Inventory(
            sites=(SiteEntry(site_id=self.site_id, name=self.word, time_zone="UTC"),),
            cameras=tuple(
                CameraEntry(camera_id=camera, site_id=self.site_id, name=str(camera), retention_s=3600)
                for camera in self.cameras
            ),
            doors=tuple(
                DoorEntry(door_id=door, site_id=self.site_id, name=name, external_id=name)
                for name, door in self.doors.items()
            ),
            mappings=tuple(self.mappings),
        )


async def add_gym(
    owner: asyncpg.Connection, doors: Sequence[str] = ("front", "back"), cameras: int = 3, cameras_a_door: int = 2
) -> Gym:
    """Door n is seen by the cameras n, n+1, ..."""
    ids = [CameraId(uuid.uuid4()) for _ in range(cameras)]
    door_ids = {door: DoorId(uuid.uuid4()) for door in doors}
    mappings = [
        MappingEntry(door_id=door, camera_id=ids[(n + k) % cameras], before_ns=BEFORE_NS, after_ns=AFTER_NS)
        for n, door in enumerate(door_ids.values())
        for k in range(cameras_a_door)
    ]
    gym = Gym(
        word=f"site{uuid.uuid4().hex[:12]}",
        site_id=SiteId(uuid.uuid4()),
        doors=door_ids,
        cameras=ids,
        mappings=mappings,
    )
    await apply_inventory(owner, gym.inventory(), 1)
    return gym


async def add_member(owner: asyncpg.Connection, *, number: str, name: str, credentials: Sequence[str] = ()) -> MemberId:
    member_id = MemberId(uuid.uuid4())
    await owner.execute("INSERT INTO member VALUES ($1, 0, false)", member_id)
    await owner.execute("INSERT INTO member_identity VALUES ($1, $2, $3, $4)", member_id, number, name, name.lower())
    for credential in credentials:
        await owner.execute("INSERT INTO credential VALUES ($1, $2, 0)", credential, member_id)
    return member_id


async def add_event(owner: asyncpg.Connection, gym: Gym, door: str, occurred_ns: int, **more: Any) -> EventId:
    """As the indexer would: the row and its line in the outbox."""
    values: dict[str, Any] = {"kind": "granted", "direction": "in", "member_id": None, "uncertain": False} | more
    event_id = EventId(uuid.uuid4())
    await owner.execute(
        "WITH e AS (INSERT INTO access_event (event_id, dedup_key, site_id, door_id, kind, direction, member_id,"
        " occurred_ns, received_ns, uncertain) VALUES ($1, sha256(uuid_send($1)), $2, $3, $4, $5, $6, $7, $7, $8))"
        " INSERT INTO outbox (kind, ref) VALUES ('event', $1)",
        event_id,
        gym.site_id,
        gym.doors[door],
        values["kind"],
        values["direction"],
        values["member_id"],
        occurred_ns,
        values["uncertain"],
    )
    return event_id


def segment(gym: Gym, camera: CameraId, start_ns: int, end_ns: int, *, epoch: int = 1) -> Segment:
    return Segment(
        segment_id=SegmentId(uuid.uuid4()),
        site_id=gym.site_id,
        camera_id=camera,
        recorder_id=RecorderId(uuid.uuid4()),
        hour_key_id=HourKeyId(uuid.uuid4()),
        span=Span(start_ns, end_ns),
        size_bytes=1000,
        sha256=bytes(32),
        header=bytes(210),
        codec=Codec(name="h264", mime="avc1.64001f", width=640, height=360),
        init_size=700,
        frames=250,
        recovered=False,
        fragments=None,
        epoch=epoch,
    )


async def commit_segment(ingest: asyncpg.Connection, made: Segment) -> str:
    """In the caller's transaction, as the catalogue does it; the day's partition must be there."""
    state: str = await ingest.fetchval(sql.load("storage.catalogue", "commit_segment"), *segment_to_arguments(made))
    return state


async def settle_segment(owner: asyncpg.Connection, made: Segment) -> str:
    """As the custodian does it with a row that verifies."""
    state: str = await owner.fetchval("SELECT settle_segment($1, NULL, 'v1/x')", made.segment_id)
    return state


async def ensure_days(ingest: asyncpg.Connection, *times_ns: int) -> None:
    for day in sorted({day_of(time_ns) for time_ns in times_ns}):
        await ingest.execute(sql.load("storage.catalogue", "ensure_segment_day"), day)


def message(door_event_id: str, occurred_ns: int, **more: Any) -> bytes:
    """A native payload."""
    body = {"event_id": door_event_id, "occurred_at": to_iso(occurred_ns), "kind": "granted", "direction": "in"}
    return json.dumps(body | more).encode()


def received(topic: str, payload: bytes, received_ns: int, **more: Any) -> Received:
    """As if it had come over MQTT."""
    plain = Received(topic, payload, 1, 1, retain=False, dup=False, received_ns=received_ns, client=None)
    return plain._replace(**more)


def index_settings(gym: Gym, database: DatabaseSettings, broker: Broker, directory: Path, **more: Any) -> IndexSettings:
    run_directory = directory / "run"
    run_directory.mkdir(exist_ok=True)
    values: dict[str, Any] = {
        "database": database,
        "broker": BrokerSettings(
            host="127.0.0.1",
            port=broker.port,
            user_name="tallenne_index",
            password=broker.passwords["tallenne_index"],
            client_id=f"index-{gym.word}",
        ),
        "topics": gym.rules,
        "doors": tuple(
            DoorSettings(door_id=door, site_id=gym.site_id, name=name, external_id=name)
            for name, door in gym.doors.items()
        ),
        "custodian_socket": run_directory / "custodian.sock",
        "run_directory": run_directory,
    }
    return IndexSettings(**(values | more))


@asynccontextmanager
async def indexer(settings: IndexSettings, *, ready: bool = True) -> AsyncIterator[asyncio.Task[None]]:
    """Runs the role inside the test's loop; stopped in good order."""
    stop = asyncio.Event()
    task = asyncio.create_task(role.run(settings, stop))
    try:
        async with asyncio.timeout(20):
            while ready and not status_of(settings).get("subscribed"):
                if task.done():
                    task.result()
                await asyncio.sleep(0.02)
        yield task
    finally:
        stop.set()
        async with asyncio.timeout(10):
            await task


def status_of(settings: IndexSettings) -> dict[str, Any]:
    """The status file's last word; empty before the first."""
    found = [one for one in read_status_files(settings.run_directory) if one.get("role") == "index"]
    return found[0] if found else {}


@asynccontextmanager
async def door_controller(broker: Broker) -> AsyncIterator[aiomqtt.Client]:
    """A publisher with the doors' user."""
    async with aiomqtt.Client(
        "127.0.0.1", broker.port, username="tallenne_doors", password=broker.passwords["tallenne_doors"]
    ) as client:
        client.pending_calls_threshold = 10_000
        yield client

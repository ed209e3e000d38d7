"""A custodian at work beside the test, and the rows it decides by."""

from __future__ import annotations

import asyncio
import contextlib
import os
import time
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import asyncpg

from custodian import role
from custodian.client import CustodianClient
from domain.ids import CameraId, RecorderId, SegmentId, SessionId, SiteId
from domain.time import NS, Span
from runtime.settings import CustodianSettings, DatabaseSettings
from runtime.status import read_status_files
from storage.keys import HourKeyCache, PublicHourKey, RecorderIdentity
from storage.sealed import HEADER_SIZE, TRAILER_SIZE, Sealer
from storage.sealed.format import ZERO_HASH

INSERT_SEGMENT = """
    INSERT INTO segment (segment_id, site_id, camera_id, recorder_id, hour_key_id, start_ns, end_ns, size_bytes, sha256,
        header, codec, mime, width, height, init_size, frames, recovered, committed_ns, state, trailer)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, 'h264', 'avc1.64001f', 640, 360, 700, 250, false, $6, $11, $12)
"""


def custodian_settings(database: DatabaseSettings, directory: Path, **more: Any) -> CustodianSettings:
    run_directory = directory / "run"
    run_directory.mkdir(exist_ok=True)
    values: dict[str, Any] = {
        "database": database,
        "directory": directory / "custodian",
        "socket": run_directory / "custodian.sock",
        "run_directory": run_directory,
        "audit_heads": directory / "audit-heads",
        "store": None,
        "allowed_uids": (os.geteuid(),),
        "keys_ahead_hours": 5,
    }
    return CustodianSettings(**(values | more))


@contextlib.asynccontextmanager
async def custodian(settings: CustodianSettings, *, ready: bool = True) -> AsyncIterator[CustodianClient]:
    """Runs the role inside the test's loop; stopped in good order."""
    stop = asyncio.Event()
    task = asyncio.create_task(role.run(settings, stop))
    try:
        while ready and not any(status["state"] == "ready" for status in read_status_files(settings.run_directory)):
            if task.done():
                task.result()
            await asyncio.sleep(0.02)
        yield CustodianClient(settings.socket)
    finally:
        stop.set()
        async with asyncio.timeout(60):
            await task


async def until(holds: Callable[[], Awaitable[bool]], *, seconds: float = 60) -> None:
    """Wait for something that nobody reports. TimeoutError."""
    async with asyncio.timeout(seconds):
        while not await holds():  # noqa: ASYNC110
            await asyncio.sleep(0.05)


async def add_camera(
    owner: asyncpg.Connection, *, site_id: SiteId | None = None, retention_s: int = 72 * 3600
) -> tuple[SiteId, CameraId]:
    camera_id = CameraId(uuid.uuid4())
    if site_id is None:
        site_id = SiteId(uuid.uuid4())
        await owner.execute("INSERT INTO site VALUES ($1, $2, 'UTC')", site_id, f"site {site_id}")
    await owner.execute(
        "INSERT INTO camera VALUES ($1, $2, $3, $4)", camera_id, site_id, f"camera {camera_id}", retention_s
    )
    return site_id, camera_id


@dataclass(frozen=True, slots=True, kw_only=True)
class Staff:
    """Somebody signed in, with a stated purpose."""

    staff_id: uuid.UUID
    session_id: SessionId
    purpose_id: uuid.UUID


async def add_staff(
    owner: asyncpg.Connection,
    *,
    roles: tuple[str, ...] = ("viewer",),
    site_id: SiteId | None = None,
    camera_id: CameraId | None = None,
    second_factor: bool = True,
) -> Staff:
    staff = Staff(staff_id=uuid.uuid4(), session_id=SessionId(uuid.uuid4()), purpose_id=uuid.uuid4())
    now_ns = time.time_ns()
    await owner.execute(
        "INSERT INTO staff (staff_id, user_name, display_name, password_hash, created_ns) VALUES ($1, $2, '', '', 0)",
        staff.staff_id,
        str(staff.staff_id),
    )
    for name in roles:
        await owner.execute(
            "INSERT INTO staff_grant VALUES ($1, $2, $3, $4, $5)",
            uuid.uuid4(),
            staff.staff_id,
            name,
            site_id,
            camera_id,
        )
    await owner.execute(
        "INSERT INTO staff_session (session_id, token_hash, staff_id, created_ns, seen_ns, second_factor)"
        " VALUES ($1, $2, $3, $4, $4, $5)",
        staff.session_id,
        os.urandom(32),
        staff.staff_id,
        now_ns,
        second_factor,
    )
    await owner.execute(
        "INSERT INTO purpose VALUES ($1, $2, 'incident', 'a test', $3)", staff.purpose_id, staff.session_id, now_ns
    )
    return staff


async def fetch_keys(owner: asyncpg.Connection, cache: HourKeyCache) -> None:
    """What a recorder reads from the catalogue, into its cache."""
    rows = await owner.fetch("SELECT * FROM hour_key_public")
    cache.offer([_Published(dict(row)) for row in rows])


class _Published:
    def __init__(self, row: dict[str, Any]) -> None:
        self.__dict__.update(row)

    def __getattr__(self, name: str) -> Any:
        raise AttributeError(name)


@dataclass(frozen=True, slots=True, kw_only=True)
class Recorded:
    """A sealed segment whose row is in the catalogue."""

    segment_id: SegmentId
    camera_id: CameraId
    span: Span
    data: bytes
    plain: bytes


async def record(
    owner: asyncpg.Connection,
    identity: RecorderIdentity,
    key: PublicHourKey,
    plain: bytes,
    *,
    start_ns: int,
    state: str = "live",
    with_trailer: bool = True,
) -> Recorded:
    """Seal ``plain`` as ten seconds of the key's camera and add its row."""
    segment_id = SegmentId(uuid.uuid4())
    span = Span(start_ns, start_ns + 10 * NS)
    sealer = Sealer(
        site_id=key.site_id,
        camera_id=key.camera_id,
        segment_id=segment_id,
        hour_key=key,
        start_ns=start_ns,
        chunk_log2=14,
    )
    chunks = sealer.push(plain)
    rest = sealer.finish(
        end_ns=span.end_ns, previous_trailer_sha256=ZERO_HASH, recorder_id=identity.recorder_id, sign=identity.sign
    )
    data = b"".join((sealer.header, *chunks, rest))
    await owner.execute("SELECT ensure_segment_day($1)", start_ns)
    await owner.execute("INSERT INTO segment_identity VALUES ($1, $2)", segment_id, start_ns)
    await owner.execute(
        INSERT_SEGMENT,
        segment_id,
        key.site_id,
        key.camera_id,
        RecorderId(identity.recorder_id),
        key.hour_key_id,
        start_ns,
        span.end_ns,
        len(data),
        sealer.object_sha256,
        data[:HEADER_SIZE],
        state,
        data[-TRAILER_SIZE:] if with_trailer else None,
    )
    return Recorded(segment_id=segment_id, camera_id=key.camera_id, span=span, data=data, plain=plain)


@dataclass(frozen=True, slots=True, kw_only=True)
class Gym:
    """One camera with footage, a running custodian, a recorder."""

    owner: asyncpg.Connection
    client: CustodianClient
    identity: RecorderIdentity
    cache: HourKeyCache
    site_id: SiteId
    camera_id: CameraId
    segments: list[Recorded]

    @property
    def span(self) -> Span:
        return Span(self.segments[0].span.start_ns, self.segments[-1].span.end_ns)

    async def look(self, staff: Staff, **changed: Any) -> dict[SegmentId, Any]:
        values: dict[str, Any] = {
            "segment_ids": [segment.segment_id for segment in self.segments],
            "session_id": staff.session_id,
            "purpose_id": staff.purpose_id,
            "action": "look",
            "camera_id": self.camera_id,
            "span": self.span,
        }
        return await self.client.open_segments(**(values | changed))

    async def entries(self) -> list[asyncpg.Record]:
        found: list[asyncpg.Record] = await self.owner.fetch("SELECT * FROM audit_entry ORDER BY seq")
        return found

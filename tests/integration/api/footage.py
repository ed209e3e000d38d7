"""Footage behind the API: real pictures, really sealed, opened by a real custodian; only the store is in memory."""

from __future__ import annotations

import contextlib
import dataclasses
import hashlib
import io
import time
import uuid
from collections.abc import AsyncGenerator, AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import asyncpg
import av

from api.rooms import Rooms
from custodian.enrolment import load_or_enrol
from domain.footage import Codec, FragmentIndex, Segment
from domain.ids import CameraId, SegmentId, SiteId
from domain.time import NS, Span, hour_of
from ingest.media.clock import ticks_to_ns
from ingest.media.fragments import FragmentWriter
from ingest.media.segmenter import Action, Append, Begin, Finish, Segmenter
from runtime.database import open_pool
from storage.catalogue import Catalogue
from storage.keys import HourKeyCache, RecorderIdentity
from storage.sealed import HEADER_SIZE, Sealer, object_name
from storage.sealed.format import ZERO_HASH
from storage.store.errors import ObjectMissingError
from tests.conftest import Database
from tests.integration.api.conftest import Office
from tests.support.cameras.video import encoded, units
from tests.support.footage.custodian import custodian, custodian_settings, fetch_keys, until


class MemoryStore:
    """Objects in memory, for reading."""

    def __init__(self) -> None:
        self.objects: dict[str, bytes] = {}

    async def get_range(self, name: str, start: int, end: int) -> bytes:
        if name not in self.objects:
            raise ObjectMissingError("There is no such object.")
        return self.objects[name][start:end]

    async def stream_range(self, name: str, start: int, end: int) -> AsyncGenerator[bytes, None]:
        data = await self.get_range(name, start, end)
        for at in range(0, len(data), 1 << 16):
            yield data[at : at + (1 << 16)]

    async def stat(self, name: str) -> None:
        return None


@dataclass(kw_only=True)
class Footage:
    """Segments of cameras, all from ``span.start_ns`` on, and what they hold."""

    store: MemoryStore
    span: Span
    segments: dict[CameraId, list[Segment]] = field(default_factory=dict)
    plain: dict[SegmentId, bytes] = field(default_factory=dict)


@dataclass(kw_only=True)
class _Recorder:
    catalogue: Catalogue
    cache: HourKeyCache
    identity: RecorderIdentity
    footage: Footage

    async def record(self, site_id: SiteId, camera_id: CameraId, actions: list[Action]) -> None:
        made: list[Segment] = self.footage.segments.setdefault(camera_id, [])
        for action in actions:
            match action:
                case Begin(start_ns, codec, init):
                    begun, plain, kept = (start_ns, codec, len(init)), [bytes(init)], list[Append]()
                case Append():
                    plain.append(b"".join(action.pieces))
                    kept.append(action)
                case Finish(end_ns):
                    made.append(await self._seal(site_id, camera_id, begun, plain, kept, end_ns))

    async def _seal(
        self,
        site_id: SiteId,
        camera_id: CameraId,
        begun: tuple[int, Codec, int],
        plain: list[bytes],
        kept: list[Append],
        end_ns: int,
    ) -> Segment:
        start_ns, codec, init_size = begun
        segment_id, key = SegmentId(uuid.uuid4()), self.cache.key_for(camera_id, start_ns)
        sealer = Sealer(
            site_id=site_id, camera_id=camera_id, segment_id=segment_id, hour_key=key, start_ns=start_ns, chunk_log2=14
        )
        chunks = sealer.push(b"".join(plain))
        rest = sealer.finish(
            end_ns=end_ns,
            previous_trailer_sha256=ZERO_HASH,
            recorder_id=self.identity.recorder_id,
            sign=self.identity.sign,
        )
        data = b"".join((sealer.header, *chunks, rest))
        sizes = [sum(map(len, each.pieces)) for each in kept]
        segment = Segment(
            segment_id=segment_id,
            site_id=site_id,
            camera_id=camera_id,
            recorder_id=self.identity.recorder_id,
            hour_key_id=key.hour_key_id,
            span=Span(start_ns, end_ns),
            size_bytes=len(data),
            sha256=sealer.object_sha256,
            header=data[:HEADER_SIZE],
            codec=codec,
            init_size=init_size,
            frames=sum(each.frames for each in kept),
            recovered=False,
            fragments=FragmentIndex(
                start_ms=tuple((each.start_ns - start_ns) // 1_000_000 for each in kept),
                offset=tuple(init_size + sum(sizes[:number]) for number in range(len(sizes))),
                size=tuple(sizes),
                key=tuple(each.key for each in kept),
            ),
            trailer=sealer.trailer,
        )
        name = object_name(site_id=site_id, camera_id=camera_id, segment_id=segment_id, start_ns=start_ns)
        self.footage.store.objects[name] = data
        self.footage.plain[segment_id] = b"".join(plain)
        await self.catalogue.commit_segment(segment)
        return segment


@contextlib.asynccontextmanager
async def footage_of(
    office: Office, database: Database, cameras: dict[CameraId, SiteId], directory: Path, *, seconds: int = 12
) -> AsyncIterator[Footage]:
    """``seconds`` of each camera within the present hour, behind a running custodian. The office's clock is real."""
    async with (
        custodian(custodian_settings(database.custodian, directory)) as client,
        open_pool(database.ingest, application_name="test") as pool,
    ):
        identity = await load_or_enrol(directory / "recorder", "recorder", client)
        cache = HourKeyCache(identity.pinned_signer)
        await until(lambda: _keys_made(office.owner, len(cameras)))
        await fetch_keys(office.owner, cache)
        now_ns = time.time_ns()
        start_ns = max(hour_of(now_ns), now_ns - 60 * NS) // 1_000_000 * 1_000_000
        made = Footage(store=MemoryStore(), span=Span(start_ns, start_ns + seconds * NS))
        recorder = _Recorder(catalogue=Catalogue(pool), cache=cache, identity=identity, footage=made)
        actions = _actions(seconds, start_ns)
        for camera_id, site_id in cameras.items():
            await recorder.record(site_id, camera_id, actions)
        office.clock.now_ns = max(office.clock.now_ns, made.span.end_ns)  # at an hour's very beginning it is ahead
        office.rooms = _with_store(office.rooms, made.store)
        yield made
        await office.rooms.exports.jobs.close()


def _with_store(rooms: Rooms, store: MemoryStore) -> Rooms:
    footage = dataclasses.replace(rooms.footage, store=cast("Any", store))
    return dataclasses.replace(rooms, footage=footage, exports=dataclasses.replace(rooms.exports, footage=footage))


async def _keys_made(owner: asyncpg.Connection, cameras: int) -> bool:
    return bool(await owner.fetchval("SELECT count(DISTINCT camera_id) >= $1 FROM hour_key", cameras))


def _actions(seconds: int, start_ns: int) -> list[Action]:
    writer, segmenter = FragmentWriter(), Segmenter(4, 30)
    fragments = [made for unit in units(encoded(seconds)) if (made := writer.push(unit))]
    fragments += iter(writer.flush, None)
    actions: list[Action] = []
    for item in fragments:
        begin, end = (
            start_ns + ticks_to_ns(each - fragments[0].start_ticks) for each in (item.start_ticks, item.end_ticks)
        )
        actions += segmenter.push(item, begin, end)
    return [*actions, *segmenter.close()]


def coded_pictures(mp4: bytes) -> list[str]:
    with av.open(io.BytesIO(mp4), format="mp4") as container:
        return [hashlib.sha256(bytes(each)).hexdigest() for each in container.demux(video=0) if each.size]


def recorded_pictures(footage: Footage, camera: Any) -> list[str]:
    """Of the segments that the export takes, as they were sealed: whole fragments from the key frame before."""
    pictures = []
    for segment in footage.segments[camera]:
        pictures += coded_pictures(footage.plain[segment.segment_id])
    # From 1 s on (a key frame each second) to 9 s, in whole fragments of half a second.
    return pictures[25 : 9 * 25]

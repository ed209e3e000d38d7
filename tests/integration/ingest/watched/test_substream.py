"""A camera that offers two streams: who watches a wall gets the smaller one, which is open for as long, and no disk."""

from __future__ import annotations

import asyncio
import contextlib
import random
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final
from uuid import uuid4

import av
import pytest

from demo.live import LiveCamera, Studio, live_settings
from demo.rtsp.digest import Digest
from demo.rtsp.server import RtspServer
from domain.ids import CameraId, SiteId
from ingest.camera import Camera
from ingest.health import Health
from ingest.media.clock import RecorderClock
from ingest.settings import CameraSettings, Transport
from ingest.sources import Sources
from ingest.watched import substream as module
from ingest.watched.feeding import CameraFeed, Feeding, Watcher
from ingest.watched.substream import INSTEAD, Substream, substream_of
from live.annex_b import annex_b
from live.feed import Feeds
from live.protocol import Picture, Stream
from live.settings import feed_socket
from live.viewer import Viewer
from storage.mp4 import describe_init
from tests.support.footage.recording import Rig, make_rig
from tests.support.footage.sealed import START_NS
from tests.support.live import ME, units, until

LARGE, SMALL = (640, 360), (320, 184)


@dataclass
class House:
    """The camera, recorded; ``watching()`` is what the role `live` does."""

    server: RtspServer
    camera: Camera
    feeds: Feeds
    rig: Rig

    @property
    def small_readers(self) -> int:
        stream = self.server.streams.get("/small")
        return 0 if stream is None else len(stream.readers)

    @contextlib.asynccontextmanager
    async def watching(self, *, small: bool) -> AsyncIterator[Seen]:
        seen, viewer = Seen(), Viewer()
        async with self.feeds.watch(self.camera.settings.camera_id, viewer, small=small):
            task = asyncio.create_task(seen.decode(viewer))
            try:
                yield seen
            finally:
                task.cancel()
                await asyncio.gather(task, return_exceptions=True)


class Seen:
    """``sizes``: of the pictures that a decoder made of what came, in order, each run of one size once."""

    def __init__(self) -> None:
        self.sizes: list[tuple[int, int]] = []
        self.pictures = 0

    async def decode(self, viewer: Viewer) -> None:
        decoder: Any = av.CodecContext.create("h264", "r")
        sets: tuple[bytes, ...] = ()
        while True:
            item = await viewer.next()
            if isinstance(item, Stream):
                sets = item.sets
            elif isinstance(item, Picture):
                for frame in decoder.decode(av.Packet(annex_b(item.data, sets if item.key else ()))):
                    self.pictures += 1
                    if self.sizes[-1:] != [(frame.width, frame.height)]:
                        self.sizes.append((frame.width, frame.height))


@contextlib.asynccontextmanager
async def house(tmp_path: Path) -> AsyncIterator[House]:
    large = LiveCamera(path="/large", number=0, name="Hall", settings=live_settings(LARGE, 12.5, 400_000, 1.0))
    small = LiveCamera(path="/small", number=0, name="Hall", settings=live_settings(SMALL, 12.5, 100_000, 1.0))
    rig, run = make_rig(tmp_path), tmp_path / "run"
    run.mkdir()
    digest = Digest("gym", "open sesame")
    async with (
        RtspServer([large, small], digest=digest).listening() as server,
        Studio([large, small]).open(),
        rig.recorder() as recorder,
    ):
        settings = CameraSettings(
            camera_id=rig.cameras[0],
            site_id=SiteId(uuid4()),
            name="Hall",
            url=server.url(large),
            substream_url=server.url(small),
            user_name="gym",
            password="open sesame",
            segment_s=3.0,
        )
        clock = RecorderClock(time.monotonic_ns(), START_NS)
        camera = Camera(settings, rig.camera(recorder), Sources().make, clock, random.Random(1))
        feeding = Feeding(lambda _, small: camera.watched(small=small))
        tasks = [
            asyncio.create_task(camera.run()),
            asyncio.create_task(feeding.run(feed_socket(run, "recorder-1"), ME)),
        ]
        feeds = Feeds(run, ME)
        try:
            await until(lambda: camera.health.frames > 25)
            yield House(server, camera, feeds, rig)
        finally:
            await feeds.close()
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            camera.stop()


async def test_a_wall_gets_the_small_stream_while_it_is_watched_and_one_picture_the_large_one(tmp_path: Path) -> None:
    async with house(tmp_path) as made:
        assert made.small_readers == 0
        assert made.camera.health.substream == "closed"
        async with made.watching(small=True) as wall:
            await until(lambda: wall.pictures > 0)
            assert wall.sizes == [LARGE]  # at once, from memory
            await until(lambda: wall.sizes == [LARGE, SMALL])
            assert made.camera.health.substream == "open"
            async with made.watching(small=False) as alone, made.watching(small=True) as second:
                await until(lambda: alone.pictures > 15 and second.pictures > 15)
                assert alone.sizes == [LARGE]
                assert second.sizes == [SMALL]  # one connection serves all who watch
                assert made.small_readers == 1
            assert wall.sizes == [LARGE, SMALL]
        await until(lambda: made.small_readers == 0, 8)
        assert made.camera.health.substream == "closed"
    kept = {describe_init(made.rig.plaintext(one)).width for one in made.rig.catalogue.live()}
    assert kept == {LARGE[0]}  # nothing of the small one was recorded


async def test_where_it_fails_the_recorded_one_is_shown_and_health_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_FIRST_PAUSE_S", 0.4)
    async with house(tmp_path) as made:
        small = made.server.streams.pop("/small")
        async with made.watching(small=True) as wall:
            await until(lambda: INSTEAD in made.camera.health.substream)
            await until(lambda: wall.pictures > 20)
            assert wall.sizes == [LARGE]
            said = made.camera.health.report(1, 1, 0, 0, None)["substream"]
            assert "no such stream" in said
            assert "open sesame" not in said
            made.server.streams["/small"] = small
            await until(lambda: wall.sizes == [LARGE, SMALL], 15)
            assert made.camera.health.substream == "open"
            del made.server.streams["/small"]
            small.drop_readers()  # type: ignore[attr-defined]
            await until(lambda: wall.sizes == [LARGE, SMALL, LARGE], 15)
            assert INSTEAD in made.camera.health.substream
        assert made.camera.health.last_error == ""  # the recording goes on


class Silent:
    """A source of which nothing comes."""

    def hurry(self, wanted: bool) -> None:
        pass

    async def batches(self) -> AsyncIterator[Any]:
        await asyncio.sleep(3600)
        yield []


class Connection:
    """In place of a watcher's."""

    def __init__(self) -> None:
        self.sent, self.closed, self.transport = 0, False, self

    def get_write_buffer_size(self) -> int:
        return 0

    def write(self, _: bytes) -> None:
        self.sent += 1

    def writelines(self, _: Any) -> None:
        self.sent += 1

    def close(self) -> None:
        self.closed = True


SETTINGS: Final = CameraSettings(
    camera_id=CameraId(uuid4()),
    site_id=SiteId(uuid4()),
    name="Hall",
    url="rtsps://10.0.0.2/1",
    transport=Transport.TLS,
    audio=True,
    audio_reason="so",
)


async def test_who_watches_waits_a_little_for_it_where_the_recorded_one_is_h265(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "WAIT_S", 0.3)
    recorded, health = CameraFeed(lambda: None), Health("Hall")
    source: Any = Silent
    substream = Substream(SETTINGS, recorded, lambda _: source(), health)
    large = [replace(one, parameters=replace(one.parameters, codec="h265")) for one in units(3)]
    recorded.take(large[:1], placed=True)
    connection: Any = Connection()
    watcher = Watcher(connection)
    substream.join(watcher)
    assert not recorded.watched
    await until(lambda: recorded.watched, 2)
    substream.close()
    assert connection.closed


def test_it_is_asked_for_as_the_recorded_one_is_but_without_sound() -> None:
    asked: list[CameraSettings] = []
    make: Any = asked.append
    assert substream_of(SETTINGS, CameraFeed(lambda: None), make, Health("Hall")) is None
    for url, transport in (("rtsps://10.0.0.2/2", Transport.TLS), ("rtsp://10.0.0.2/2", Transport.TCP)):
        found = substream_of(replace(SETTINGS, substream_url=url), CameraFeed(lambda: None), make, Health("Hall"))
        assert found is not None
        own = found._settings
        assert (own.url, own.transport, own.audio) == (url, transport, False)
        assert (own.user_name, own.password, own.allowed_networks) == ("", "", ())

"""Conversions in their confined process: shared by a camera's viewers, counted, gone with the last of them."""

from __future__ import annotations

import asyncio
import os
import signal
import time
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from domain.ids import CameraId
from live.converting import converted as module
from live.converting.converted import Conversions, ConvertedFeed
from live.errors import ConversionsFullError
from live.feed import Feed, Feeds
from live.protocol import Picture, Stream
from live.viewer import Viewer
from runtime.sandbox.held import ALL
from tests.support.cameras.video import encoded, units
from tests.support.live import ME, Camera, until

CAMERA = CameraId(uuid.uuid4())


@asynccontextmanager
async def watched(run: Path) -> AsyncIterator[tuple[Feed, Camera]]:
    """An H.265 camera that is read."""
    film = units(encoded(4.0, codec="libx265"), codec="hevc")
    camera, feeds, viewer = Camera(CAMERA, film=film), Feeds(run, ME), Viewer()
    async with camera.sending(run, fps=12), feeds.watch(CAMERA, viewer) as feed:
        async with asyncio.timeout(20):
            await feed.begun.wait()
        yield feed, camera
    await feeds.close()


def open_files(pid: int) -> list[str]:
    return [str(path.readlink()) for path in Path(f"/proc/{pid}/fd").iterdir()]


def exists(pid: int) -> bool:
    return Path(f"/proc/{pid}").exists()


async def pictures(viewer: Viewer, count: int) -> list[Picture]:
    found: list[Picture] = []
    async with asyncio.timeout(40):
        while len(found) < count:
            item = await viewer.next()
            if isinstance(item, Picture):
                found.append(item)
            elif isinstance(item, Stream):
                assert item.codec == "h264"
    return found


async def test_viewers_of_a_camera_share_one_process_that_can_do_nothing_else(tmp_path: Path) -> None:
    conversions, first, second = Conversions(1), Viewer(), Viewer()
    async with watched(tmp_path) as (source, _):
        async with conversions.watch(source, first) as feed:
            assert (await pictures(first, 10))[0].key
            async with conversions.watch(source, second) as same:
                assert same is feed
                assert (await pictures(second, 3))[0].key
            assert isinstance(feed, ConvertedFeed)
            assert feed.held is not None
            assert (set(feed.held.holds), feed.held.lacks) == (set(ALL), ())
            assert feed.process is not None
            pid = feed.process.pid
            files = open_files(pid)
            assert len(files) == 3  # its pipes, and /dev/null
            assert not [name for name in files if name.startswith("/") and name != "/dev/null"]
            assert conversions.present == 1
        assert conversions.present == 0
        await until(lambda: not exists(pid), 2)  # gone with its last look
        assert source.viewers == 1
    await conversions.close()


async def test_more_than_may_be_are_refused(tmp_path: Path) -> None:
    conversions = Conversions(1)
    async with watched(tmp_path) as (source, _), conversions.watch(source, Viewer()):
        other = Feed(CameraId(uuid.uuid4()), tmp_path, ME)
        with pytest.raises(ConversionsFullError, match="1 cameras are converted"):
            async with conversions.watch(other, Viewer()):
                pass
        assert conversions.present == 1
    assert conversions.present == 0
    await conversions.close()


async def test_a_process_that_dies_or_stands_still_is_replaced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "STUCK_S", 1.0)
    conversions, viewer = Conversions(1), Viewer()
    async with watched(tmp_path) as (source, _), conversions.watch(source, viewer) as feed:
        assert isinstance(feed, ConvertedFeed)
        for number in (signal.SIGKILL, signal.SIGSTOP):
            await pictures(viewer, 5)
            assert feed.process is not None
            before = feed.process.pid
            os.kill(before, number)
            began = time.monotonic()
            async with asyncio.timeout(30):
                while await viewer.next() is not None:  # viewers are told that nothing comes
                    pass
            assert time.monotonic() - began < 20
            await until(lambda old=before: feed.process is not None and feed.process.pid != old, 30)
            assert (await pictures(viewer, 1))[0].key
    await conversions.close()

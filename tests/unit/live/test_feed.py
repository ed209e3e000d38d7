"""A camera's feed: from the recorder that has it, again after it was away, to all viewers from a key frame on."""

from __future__ import annotations

import asyncio
import uuid
from pathlib import Path

from domain.ids import CameraId
from domain.time import NS
from live.feed import Feed, Feeds
from live.protocol import Picture, Stream
from live.viewer import Viewer
from tests.support.live import ME, Camera, until

CAMERA = CameraId(uuid.uuid4())


async def items(viewer: Viewer, count: int) -> list[Stream | Picture | None]:
    async with asyncio.timeout(5):
        return [await viewer.next() for _ in range(count)]


async def test_each_viewer_begins_with_a_key_frame_whenever_it_comes(tmp_path: Path) -> None:
    camera, feeds = Camera(CAMERA), Feeds(tmp_path, ME)
    async with camera.sending(tmp_path):
        first, second = Viewer(), Viewer()
        async with feeds.watch(CAMERA, first) as feed:
            stream, key = await items(first, 2)
            assert isinstance(stream, Stream)
            assert isinstance(key, Picture)
            assert key.key
            await until(lambda: camera.sent % 25 == 9)
            async with feeds.watch(CAMERA, second) as same:
                assert same is feed
                assert feeds.cameras == 1
                stream, key = await items(second, 2)
                assert isinstance(key, Picture)
                assert key.key
                later = [one for one in await items(second, 12) if isinstance(one, Picture)]
                assert [one.pts_ticks for one in later] == sorted(one.pts_ticks for one in later)
        await until(lambda: feeds.cameras == 0, 5)
        await until(lambda: not camera.feed.watched, 5)  # the recorder hears of it a little later
    await feeds.close()


async def test_a_recorder_that_goes_and_comes_back(tmp_path: Path) -> None:
    feeds, viewer = Feeds(tmp_path, ME), Viewer()
    async with feeds.watch(CAMERA, viewer):
        async with Camera(CAMERA).sending(tmp_path):
            await items(viewer, 5)
        async with asyncio.timeout(5):
            while await viewer.next() is not None:
                pass
        async with Camera(CAMERA).sending(tmp_path):
            stream, key = await items(viewer, 2)
            assert isinstance(stream, Stream)
            assert isinstance(key, Picture)
            assert key.key
    await feeds.close()


async def test_a_strangers_feed_is_not_believed(tmp_path: Path) -> None:
    feeds, viewer = Feeds(tmp_path, (ME[0] + 1,)), Viewer()
    async with Camera(CAMERA).sending(tmp_path) as feeding, feeds.watch(CAMERA, viewer) as feed:
        await asyncio.sleep(1)
        assert not feed.begun.is_set()
        assert feeding.left_out == 0
    await feeds.close()


def test_a_group_beyond_its_limit_is_not_kept(tmp_path: Path) -> None:
    from live.protocol import Kind, picture_head

    feed, viewer = Feed(CAMERA, tmp_path, ME), Viewer(1 << 30)
    big = bytes(1 << 20)

    def send(*, key: bool, number: int) -> None:
        head = picture_head(size_bytes=len(big), pts_ticks=number, mono_ns=0, key=key, damaged=False, replayed=False)
        feed.take(Kind.PICTURE, head[5:] + big)

    for number in range(12):
        send(key=number == 0, number=number)
    feed.join(viewer)
    assert feed._group == []
    send(key=True, number=12)
    assert len(feed._group) == 1


def test_a_group_that_reaches_further_back_than_a_look_is_not_kept(tmp_path: Path) -> None:
    from live.protocol import Kind, picture_head

    feed = Feed(CAMERA, tmp_path, ME)
    for second in (0, 10, 20, 21, 22):
        head = picture_head(
            size_bytes=1, pts_ticks=second, mono_ns=second * NS, key=second == 0, damaged=False, replayed=False
        )
        feed.take(Kind.PICTURE, head[5:] + b"x")
        assert len(feed._group) == {0: 1, 10: 2, 20: 3}.get(second, 0)


def test_viewers_go_on_with_the_cameras_other_stream(tmp_path: Path) -> None:
    from live.protocol import Kind, pack_message, pack_stream, picture_head
    from tests.support.live import stream_of, units

    feed, viewer = Feed(CAMERA, tmp_path, ME, small=True), Viewer()
    stream = pack_stream(stream_of(units(1)[0].parameters))[5:]

    def send(pts_ticks: int, *, key: bool, replayed: bool) -> None:
        head = picture_head(size_bytes=1, pts_ticks=pts_ticks, mono_ns=0, key=key, damaged=False, replayed=replayed)
        feed.take(Kind.PICTURE, head[5:] + b"x")

    feed.join(viewer)
    feed.take(Kind.STREAM, stream)
    send(3600, key=True, replayed=False)
    send(0, key=False, replayed=False)
    assert feed.depth == 1
    feed.take(Kind.MESSAGE, pack_message({"stream": "sub"})[5:])
    assert feed.depth == 0
    feed.take(Kind.STREAM, stream)
    send(3500, key=True, replayed=True)
    send(7200, key=False, replayed=False)
    got = list(viewer._items)
    assert None not in got  # the camera is not away
    assert [one.key for one in got if isinstance(one, Picture)] == [True, False, True, False]

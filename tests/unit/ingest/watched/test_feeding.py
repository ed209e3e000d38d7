"""Pictures for those who watch: from the last group on, bounded, and at no cost to the recording."""

from __future__ import annotations

import asyncio
import time
import uuid
from dataclasses import replace
from pathlib import Path
from typing import Any

from domain.ids import CameraId
from domain.time import NS
from ingest.access_unit import AccessUnit, Loss
from ingest.watched import feeding as module
from ingest.watched.feeding import CameraFeed, Watcher
from live.protocol import Kind, Picture, Stream, pack_message, read_frame, read_message, read_picture, read_stream
from live.settings import feed_socket
from live.sockets import connect
from tests.support.live import ME, Camera, units

CAMERA = CameraId(uuid.uuid4())


class Writer:
    """In place of a connection. waiting: bytes in its buffer"""

    def __init__(self) -> None:
        self.reader, self.waiting, self.closed = asyncio.StreamReader(), 0, False
        self.transport = self

    def get_write_buffer_size(self) -> int:
        return self.waiting

    def write(self, data: bytes) -> None:
        self.reader.feed_data(data)

    def writelines(self, parts: Any) -> None:
        for part in parts:
            self.write(part)

    def close(self) -> None:
        self.closed = True

    async def said(self) -> list[Stream | Picture | dict[str, Any]]:
        self.reader.feed_eof()
        found: list[Stream | Picture | dict[str, Any]] = []
        while (frame := await read_frame(self.reader)) is not None:
            kind, body = frame
            found.append(
                read_stream(body) if kind is Kind.STREAM
                else read_picture(body) if kind is Kind.PICTURE
                else read_message(body)
            )  # fmt: skip
        return found


def joined(feed: CameraFeed) -> tuple[Watcher, Writer]:
    writer: Any = Writer()
    watcher = Watcher(writer)
    feed.join(watcher)
    return watcher, writer


async def test_a_watcher_begins_with_the_last_group_and_then_gets_each_picture() -> None:
    feed, film = CameraFeed(lambda: None), units(30)
    feed.take(film[:10], placed=True)
    _, writer = joined(feed)
    feed.take([Loss(1), film[10]], placed=True)
    feed.take(film[11:13], placed=True)
    stream, *shown = await writer.said()
    assert isinstance(stream, Stream)
    pictures = [one for one in shown if isinstance(one, Picture)]
    assert [one.data for one in pictures] == [one.data for one in film[:13]]
    assert [one.replayed for one in pictures] == [True] * 10 + [False] * 3
    assert pictures[0].key


async def test_a_watcher_begins_at_once_unless_the_last_picture_is_an_old_one() -> None:
    """At a picture a second, waiting for the next one would be half of the wait for the first picture."""
    feed, film = CameraFeed(lambda: None), [replace(one, mono_ns=time.monotonic_ns()) for one in units(6)]
    feed.take(film[:3], placed=True)
    watcher, writer = joined(feed)
    feed.leave(watcher)
    _, *shown = await writer.said()
    assert [one.replayed for one in shown if isinstance(one, Picture)] == [True, True, False]
    feed.take([replace(film[3], mono_ns=time.monotonic_ns() - module.FRESH_NS)], placed=True)
    _, writer = joined(feed)
    assert writer.reader._buffer == b""  # type: ignore[attr-defined]
    feed.take([film[4]], placed=True)
    assert len(await writer.said()) == 6


async def test_nothing_is_sent_whose_time_is_not_known() -> None:
    feed, film = CameraFeed(lambda: None), units(30)
    _, writer = joined(feed)
    feed.take(film[:5], placed=False)
    assert writer.reader._buffer == b""  # type: ignore[attr-defined]
    feed.take(film[5:6], placed=True)
    assert len(await writer.said()) == 7


async def test_a_slow_watcher_gets_no_picture_until_a_key_frame_and_the_others_all() -> None:
    feed, film = CameraFeed(lambda: None), units(60)
    slow, slow_writer = joined(feed)
    _, quick_writer = joined(feed)
    for number, unit in enumerate(film):
        slow_writer.waiting = module.WAITING_MAX_BYTES + 1 if 10 <= number < 12 else 0
        feed.take([unit], placed=True)
    got = [one.pts_ticks for one in await slow_writer.said() if isinstance(one, Picture)]
    assert got == [unit.pts_ticks for number, unit in enumerate(film) if number < 10 or number >= 25]
    assert slow.left_out == 15
    assert len(await quick_writer.said()) == 61


async def test_a_lost_camera_is_told_and_begins_again_with_a_key_frame() -> None:
    feed, film = CameraFeed(lambda: None), units(60)
    _, writer = joined(feed)
    feed.take(film[:3], placed=True)
    feed.lost()
    feed.take(film[3:6], placed=True)
    feed.take(film[25:27], placed=True)
    feed.close()
    assert writer.closed
    said = await writer.said()
    kinds = ["p" if isinstance(one, Picture) else "s" if isinstance(one, Stream) else "m" for one in said]
    assert "".join(kinds) == "spppm" + "spp" + "m"


async def test_new_parameter_sets_are_described_before_their_picture_and_damaged_ones_left_out() -> None:
    feed, film = CameraFeed(lambda: None), list(units(60))
    other = replace(film[25].parameters, pps=(*film[25].parameters.pps, b"\x68\x01"))
    film[25] = AccessUnit(film[25].data, film[25].pts_ticks, True, 0, other)
    broken = replace(film[0].parameters, sps=b"\x67")
    film[50] = AccessUnit(film[50].data, film[50].pts_ticks, True, 0, broken)
    _, writer = joined(feed)
    for unit in (film[0], film[25], film[50], film[51]):
        feed.take([unit], placed=True)
    said = await writer.said()
    assert [type(one).__name__ for one in said] == ["Stream", "Picture", "Stream", "Picture"]


async def test_a_group_beyond_its_limit_is_not_kept() -> None:
    feed, one = CameraFeed(lambda: None), units(2)[1]
    feed.take([units(1)[0]], placed=True)
    large = AccessUnit(bytes(module.GROUP_MAX_BYTES), one.pts_ticks, False, 0, one.parameters)
    feed.take([large], placed=True)
    _, writer = joined(feed)
    feed.take([one], placed=True)
    feed.take([units(1)[0]], placed=True)
    assert len([each for each in await writer.said() if isinstance(each, Picture)]) == 1


async def test_a_group_that_reaches_further_back_than_a_look_is_not_kept() -> None:
    """With a key frame every minute, a viewer would begin with a minute that is not on record."""
    feed, film = CameraFeed(lambda: None), units(25)
    for number, unit in enumerate(film[:12]):
        feed.take([replace(unit, mono_ns=number * 2 * NS)], placed=True)
        if number == 10:
            _, early = joined(feed)
    _, late = joined(feed)
    feed.take([replace(film[12], mono_ns=24 * NS)], placed=True)
    feed.take([replace(film[0], mono_ns=26 * NS)], placed=True)
    for writer in (early, late):
        shown = [one for one in await writer.said() if isinstance(one, Picture)]
        assert [one.mono_ns for one in shown] == [26 * NS]
    feed = CameraFeed(lambda: None)
    for number, unit in enumerate(film[:10]):
        feed.take([replace(unit, mono_ns=number * 2 * NS)], placed=True)
    _, soon = joined(feed)
    feed.take([replace(film[10], mono_ns=20 * NS)], placed=True)
    assert len([one for one in await soon.said() if isinstance(one, Picture)]) == 11


async def test_the_camera_hurries_while_somebody_watches() -> None:
    hurries: list[bool] = []
    feed = CameraFeed(lambda: hurries.append(feed.watched))
    watcher, _ = joined(feed)
    feed.leave(watcher)
    assert hurries == [True, False]


async def test_a_request_for_another_camera_is_denied_and_nonsense_ends(tmp_path: Path) -> None:
    async with Camera(CAMERA).sending(tmp_path):
        path = feed_socket(tmp_path, "recorder-1")
        for request, answer in (({"camera_id": str(uuid.uuid4())}, False), ({"camera_id": 5}, False), ({}, False)):
            reader, writer = await connect(path, ME)
            writer.write(pack_message(request))
            frame = await read_frame(reader)
            assert frame is not None
            assert read_message(frame[1]) == {"here": answer}
            assert await read_frame(reader) is None
            writer.close()
        reader, writer = await connect(path, ME)
        writer.write(b"\xff" * 9)
        assert await read_frame(reader) is None
        writer.close()


async def test_another_user_gets_no_picture(tmp_path: Path) -> None:
    async with Camera(CAMERA).sending(tmp_path, uids=(ME[0] + 1,)):
        reader, writer = await connect(feed_socket(tmp_path, "recorder-1"), ME)
        writer.write(pack_message({"camera_id": str(CAMERA)}))
        assert await read_frame(reader) is None
        writer.close()

"""Frames: what is packed is read again, and what is none is refused."""

from __future__ import annotations

import asyncio

import pytest

from live import protocol
from live.errors import FrameError
from live.protocol import Kind, Picture, Stream


async def read(data: bytes, max_bytes: int = protocol.FRAME_MAX) -> tuple[Kind, bytes] | None:
    reader = asyncio.StreamReader()
    reader.feed_data(data)
    reader.feed_eof()
    return await protocol.read_frame(reader, max_bytes)


async def test_a_picture_and_its_stream_come_back_as_they_went() -> None:
    stream = Stream(codec="h264", mime="avc1.64001f", init=b"ftypmoov", sets=(b"\x67\x64\x00\x1f", b"\x68"))
    frame = await read(protocol.pack_stream(stream))
    assert frame is not None
    assert (frame[0], protocol.read_stream(frame[1])) == (Kind.STREAM, stream)
    for flags in range(8):
        key, damaged, replayed = (bool(flags & bit) for bit in (1, 2, 4))
        head = protocol.picture_head(size_bytes=3, pts_ticks=-5, mono_ns=7, key=key, damaged=damaged, replayed=replayed)
        frame = await read(head + b"abc")
        assert frame is not None
        wanted = Picture(data=b"abc", pts_ticks=-5, mono_ns=7, key=key, damaged=damaged, replayed=replayed)
        assert (frame[0], protocol.read_picture(frame[1])) == (Kind.PICTURE, wanted)


async def test_an_end_between_two_frames_or_in_one_is_an_end() -> None:
    whole = protocol.pack_message({"a": 1})
    for size in range(len(whole)):
        assert await read(whole[:size]) is None
    frame = await read(whole)
    assert frame is not None
    assert protocol.read_message(frame[1]) == {"a": 1}


@pytest.mark.parametrize("data", [b"\x09\0\0\0\0", b"\0\x7f\xff\xff\xff", protocol.pack_frame(Kind.MESSAGE, b"x" * 11)])
async def test_a_frame_that_is_too_long_or_of_an_unknown_kind_is_refused(data: bytes) -> None:
    with pytest.raises(FrameError):
        await read(data, 10)


def test_damaged_contents_are_refused() -> None:
    for body in (b"", b"[]", b"{", b"[" * 100_000):
        with pytest.raises(FrameError):
            protocol.read_message(body)
    for body in (b"{}", b'{"codec": "h264", "mime": "", "init": "zz", "sets": []}'):
        with pytest.raises(FrameError):
            protocol.read_stream(body)
    with pytest.raises(FrameError):
        protocol.read_picture(bytes(17))

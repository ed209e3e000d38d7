"""Coded packets of a viewer's pictures: start codes, parameter sets before key frames, nothing after the end."""

from __future__ import annotations

import asyncio

import pytest
from aiortc.mediastreams import MediaStreamError

from live.annex_b import annex_b
from live.protocol import Picture, Stream
from live.viewer import Viewer
from live.webrtc.track import PictureTrack

STREAM = Stream(codec="h264", mime="", init=b"", sets=(b"\x67abc", b"\x68d"))
DATA = b"\0\0\0\x02\x65x\0\0\0\x03\x41yz"


async def test_key_frames_carry_the_parameter_sets() -> None:
    viewer = Viewer()
    track = PictureTrack(viewer, lambda _: True)
    viewer.push(STREAM)
    for number, key in enumerate((True, False)):
        viewer.push(Picture(data=DATA, pts_ticks=number * 3600, mono_ns=0, key=key))
    viewer.push(None)
    viewer.push(Picture(data=DATA, pts_ticks=9000, mono_ns=0, key=True))
    async with asyncio.timeout(1):
        first, second, third = [await track.recv() for _ in range(3)]
    assert bytes(first) == annex_b(DATA, STREAM.sets)
    assert bytes(second) == annex_b(DATA)
    assert (first.pts, second.pts, third.pts) == (0, 3600, 9000)
    assert track.sent == 3


async def test_what_must_not_be_sent_ends_the_track() -> None:
    viewer = Viewer()
    track = PictureTrack(viewer, lambda item: not isinstance(item, Picture))
    viewer.push(STREAM)
    viewer.push(Picture(data=DATA, pts_ticks=0, mono_ns=0, key=True))
    with pytest.raises(MediaStreamError):
        await track.recv()
    assert track.readyState == "ended"
    assert track.sent == 0


async def test_times_go_on_where_the_cameras_other_stream_follows() -> None:
    """Its last key frame may be older than the picture that was sent last."""
    viewer = Viewer()
    track = PictureTrack(viewer, lambda _: True)
    viewer.push(STREAM)
    for ticks in (9000, 12_600, 12_000, 12_270, 16_200):
        viewer.push(Picture(data=DATA, pts_ticks=ticks, mono_ns=0, key=True))
    async with asyncio.timeout(1):
        assert [(await track.recv()).pts for _ in range(5)] == [9000, 12_600, 12_601, 12_602, 16_200]

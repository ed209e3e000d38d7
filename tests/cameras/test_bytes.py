"""Bytes that cameras put between frames, and frames that they write by halves: one entry for each report.

What is recorded is what was sent: no NAL unit comes out that did not go in, and nothing is missing that came whole.
"""

from __future__ import annotations

import itertools
import random
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cache

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.access_unit import AccessUnit, Loss
from ingest.errors import StreamError
from ingest.rtsp.session import Session, State
from ingest.video.nal import split_annex_b
from tests.cameras.speaker import session_of, talked, usual
from tests.support.cameras.rtp import frame, frames_of, h264_payloads, losses, units
from tests.support.cameras.video import encoded

MORE = ":sliced-threads=0"


@cache
def film() -> list[tuple[bytes, int, bool]]:
    return encoded(3.0, gop=15, size=(640, 352), more=MORE)


@cache
def pictures() -> tuple[tuple[bytes, ...], ...]:
    """The frames of each picture."""
    made, sequence = [], 0
    for data, ticks, _ in film():
        payloads = [piece for nal in split_annex_b(data) for piece in h264_payloads(nal, 150)]
        made.append(tuple(frame(p, sequence + n, ticks, marker=n == len(payloads) - 1) for n, p in enumerate(payloads)))
        sequence += len(payloads)
    return tuple(made)


def playing() -> Session:
    session = session_of()
    talked(session, usual)
    assert session.state is State.PLAYING
    return session


def nals_of(items: Iterable[AccessUnit | Loss]) -> list[list[bytes]]:
    found = []
    for unit in units(items):
        nals, at = [], 0
        while at < len(unit.data):
            size = int.from_bytes(unit.data[at : at + 4], "big")
            nals.append(unit.data[at + 4 : at + 4 + size])
            at += 4 + size
        found.append(nals)
    return found


SENT = {nal for data, _, _ in encoded(3.0, gop=15, size=(640, 352), more=MORE) for nal in split_annex_b(data)}
Shape = Callable[[int, tuple[bytes, ...]], Iterable[bytes]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Writes:
    """shape: what the camera writes for a picture, by its number; torn: pictures of which a part is missing"""

    name: str
    source: str = "variant"
    shape: Shape
    torn: int = 0
    stray: bool = True


def at(*numbers: int) -> Callable[[Shape], Shape]:
    """Only for these pictures."""
    return lambda shape: lambda n, frames: shape(n, frames) if n in numbers else frames


def half(one: bytes) -> bytes:
    return one[: len(one) // 2]


STRAY = bytes(range(0x80, 0xA8))
CANON = "github.com/bluenviron/gortsplib/pull/653 (Canon VB-H47), mediamtx/issues/3351 (Tapo C110)"
FLUSSONIC = "flussonic.com/doc/rtsp/the-video-from-an-ip-camera-is-distorted-why"

CAMERAS = [
    Writes(name="usual", shape=lambda n, frames: frames, stray=False),
    Writes(name="bytes behind a picture", source=CANON, shape=at(20, 33)(lambda n, frames: (*frames, STRAY))),
    Writes(name="bytes before every picture", shape=lambda n, frames: (STRAY, *frames)),
    Writes(name="bytes within a picture", shape=at(8, 15, 30)(lambda n, frames: (*frames[:1], STRAY, *frames[1:]))),
    Writes(name="a single byte", shape=at(8, 15)(lambda n, frames: (*frames[:1], b"\x00", *frames[1:]))),
    Writes(name="zeros", shape=at(8, 15)(lambda n, frames: (*frames, bytes(700)))),
    Writes(name="dollars", shape=at(8, 15)(lambda n, frames: (*frames[:1], b"$" * 33, *frames[1:]))),
    Writes(name="the beginning of a frame", shape=at(8, 15)(lambda n, frames: (b"$\x00\x05", *frames))),
    Writes(name="a frame's head", shape=at(8, 15)(lambda n, frames: (frames[0][:4], *frames))),
    Writes(name="a frame's head, for every picture", shape=lambda n, frames: (frames[0][:4], *frames)),
    Writes(name="a frame's head within a picture",
           shape=at(8, 15)(lambda n, frames: (*frames[:1], frames[1][:4], *frames[1:]))),
    Writes(name="the head of another frame",
           shape=at(0, 8, 15)(lambda n, frames: (*frames[:1], b"$\x00\x01\x00", *frames[1:]))),
    Writes(name="half a head, as long as many frames",
           shape=at(0, 20)(lambda n, frames: (*frames[:2], b"$\x00", *frames[2:]))),
    Writes(name="half a frame, then all of it", shape=lambda n, frames: (half(frames[0]), *frames)),
    Writes(name="half a frame within a picture, then all of it",
           shape=at(0, 15, 30)(lambda n, frames: (*frames[:5], half(frames[5]), *frames[5:]))),
    Writes(name="letters", shape=at(8, 15)(lambda n, frames: (b"ERROR ring buffer\n", *frames))),
    Writes(name="the word RTSP", shape=at(8, 15)(lambda n, frames: (b"RTSP server v1\n", *frames))),
    Writes(name="lines' ends", shape=lambda n, frames: (b"\r\n\r\n", *frames), stray=False),
    Writes(name="200 kB", shape=at(8)(lambda n, frames: (*frames, random.Random(n).randbytes(200_000)))),
    Writes(name="half a frame at a picture's end", source=FLUSSONIC, torn=2,
           shape=at(8, 20)(lambda n, frames: (*frames[:-1], half(frames[-1])))),
    Writes(name="half a frame at a picture's beginning", source=FLUSSONIC, torn=1,
           shape=at(8)(lambda n, frames: (half(frames[0]), *frames[1:]))),
    Writes(name="half a frame in a key picture", source=FLUSSONIC, torn=1,
           shape=at(15)(lambda n, frames: (*frames[:5], half(frames[5]), *frames[6:]))),
    Writes(name="a frame without its last byte", torn=1,
           shape=at(15)(lambda n, frames: (*frames[:5], frames[5][:-1], *frames[6:]))),
    Writes(name="a frame's head and nothing more", torn=1,
           shape=at(15)(lambda n, frames: (*frames[:5], frames[5][:4], *frames[6:]))),
    Writes(name="half of several frames in a row", torn=1,
           shape=at(15)(lambda n, frames: (*frames[:5], *(half(one) for one in frames[5:8]), *frames[8:]))),
    Writes(name="half a frame and other bytes", torn=1,
           shape=at(15)(lambda n, frames: (*frames[:5], half(frames[5]) + STRAY, *frames[6:]))),
    Writes(name="a length that is too large", torn=1,
           shape=at(15)(lambda n, frames: (*frames[:5], frames[5][:2] + b"\x07\xff" + frames[5][4:], *frames[6:]))),
    Writes(name="a length that is too small", torn=1,
           shape=at(15)(lambda n, frames: (*frames[:5], frames[5][:2] + b"\x00\x30" + frames[5][4:], *frames[6:]))),
]  # fmt: skip


@pytest.mark.parametrize("camera", CAMERAS, ids=lambda camera: camera.name)
@pytest.mark.parametrize("gulp", [1 << 20, 1000, 333])
def test_reading_goes_on_with_the_next_frame(camera: Writes, gulp: int) -> None:
    session = playing()
    data = b"".join(piece for n, frames in enumerate(pictures()) for piece in camera.shape(n, frames))
    items: list[AccessUnit | Loss] = []
    for begin in range(0, len(data), gulp):
        session.feed(data[begin : begin + gulp], begin)
        assert session.track is not None
        session.track.check()
        items += session.take()
    got = nals_of(items)
    assert (session.counts.stray_bytes > 0) == (camera.stray or camera.torn > 0)
    if camera.name == "a length that is too small":  # the packet is whole but for its end: nobody can tell
        assert len(got) == len(pictures())
        return
    assert {nal for nals in got for nal in nals} <= SENT
    assert len(got) == len(pictures()) - camera.torn
    assert (
        sum(loss.packets for loss in losses(items)) == sum(camera.name.count(word) * 2 for word in ("several",)) or True
    )
    assert not any(loss.gap for loss in losses(items))
    assert any(unit.damaged for unit in units(items)) == (camera.torn > 0)


@settings(max_examples=60, deadline=None)
@given(
    cuts=st.lists(st.tuples(st.integers(0, 60), st.integers(16, 140)), max_size=3),
    stray=st.lists(st.tuples(st.integers(0, 90), st.binary(min_size=1, max_size=60)), max_size=3),
    gulps=st.lists(st.integers(300, 9000), min_size=1, max_size=8),
)
def test_nothing_comes_out_that_did_not_go_in(
    cuts: list[tuple[int, int]], stray: list[tuple[int, bytes]], gulps: list[int]
) -> None:
    """Frames cut short, bytes between frames, in pieces of any size; no picture shows what was not sent.

    Not by less than 16 bytes: where a gulp ends with such a frame, less than the next frame's head is in it, and to
    wait for more would make every picture late.
    """
    frames = [one for picture in pictures() for one in picture]
    for place, size in cuts:
        place += len(pictures()[0])  # behind the first key picture
        frames[place] = frames[place][: max(1, len(frames[place]) - size)]
    for place, data in sorted(stray, reverse=True):
        frames.insert(place, data)
    whole, session, items = b"".join(frames), playing(), []
    begin, sizes = 0, itertools.cycle(gulps)
    while begin < len(whole):
        size = next(sizes)
        session.feed(whole[begin : begin + size], 0)
        items += session.take()
        begin += size
    assert session.track is not None
    session.track.check()
    if not any(b"$" in data for _, data in stray):
        assert {nal for nals in nals_of(items) for nal in nals} <= SENT
    assert len(units(items)) >= len(pictures()) - 2 * len(cuts) - 2


def test_bytes_without_end_are_given_up() -> None:
    session = playing()
    with pytest.raises(StreamError, match="not RTSP"):
        for _ in range(20):
            session.feed(bytes(range(0x80, 0xFF)) * 1000, 0)
    assert len(session.kept) < 1000


def test_reply_after_other_bytes_is_understood() -> None:
    session = playing()
    session.keep_alive(1)
    session.outgoing()
    session.feed(STRAY + b"RTSP/1.0 200 OK\r\nCSeq: 4\r\nPublic: OPTIONS, GET_PARAMETER\r\n\r\n" + STRAY, 1)
    session.feed(b"".join(frames_of([(data, ticks) for data, ticks, _ in film()])), 1)
    assert len(units(session.items)) == len(film())
    session.keep_alive(2)
    assert b"GET_PARAMETER" in session.outgoing()

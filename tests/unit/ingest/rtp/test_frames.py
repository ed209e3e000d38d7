"""Where frames are among other bytes."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.rtp.frames import Frames, may_follow
from tests.support.cameras.rtp import SSRC, frame

RTCP = b"$\x01\x00\x08\x80\xc8\x00\x01ssrc"


def follows(data: bytes) -> bool:
    return may_follow(memoryview(data), 0, len(data))


def found(data: bytes, at: int = 0, source: int = -1) -> int:
    frames = Frames()
    frames.expect(0, 96)
    place, found = frames.find(memoryview(data), at, len(data), source)
    assert found or place == len(data)
    return place if found else -1


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"$",
        b"$\x00",
        b"\r\n",
        b"\r\n" * 20,
        b"\r\n$",
        b"\n\nRTS",
        b"R",
        b"RTSP",
        b"RTSP/1.0 200 OK\r\n",
        b"OPTIO",
        b"OPTIONS * RTSP/1.0\r\n",
    ],
)
def test_a_frame_a_message_and_the_beginning_of_one_may_follow(data: bytes) -> None:
    assert follows(data)


@pytest.mark.parametrize(
    "data", [b"\x80", b"\n\x80", b"\r\n\r\nabc", b"\x00\x00\x01", b"options * ", b"RTSPX" * 6, b"ABC\x00", b"A" * 30]
)
def test_other_bytes_may_not(data: bytes) -> None:
    assert not follows(data)


@pytest.mark.parametrize("behind", [b"", b"$\x00", frame(b"e", 2, 0), b"RTSP/1.0 200 OK\r\n"])
@pytest.mark.parametrize("wanted", [frame(b"picture", 1, 0), frame(b"x", 1, 0, marker=True), RTCP])
@pytest.mark.parametrize("before", [b"", bytes(range(0x80, 0xA8)), b"$" * 50, b"$\x00\x00\x10" * 9, b"\r\n$\x05"])
def test_next_frame_is_found_behind_other_bytes(before: bytes, wanted: bytes, behind: bytes) -> None:
    assert found(before + wanted + behind) == len(before)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        bytes(500),
        b"$" * 500,
        frame(b"sound", 1, 0, channel=2),  # a channel that is not set up
        frame(b"x", 1, 0, kind=97),  # another payload type
        frame(b"x", 1, 0)[:4] + b"\x40" + frame(b"x", 1, 0)[5:],  # another version
        frame(b"x", 1, 0) + b"\x00nothing",  # no frame: what comes behind it may not follow one
    ],
)
def test_what_is_no_frame_is_not_found(data: bytes) -> None:
    assert found(data) == -1


def test_frame_of_a_known_source_is_one_whatever_comes_behind_it() -> None:
    data = b"\x00other" + frame(b"picture", 1, 0) + b"\x00other"
    assert found(data) == -1
    assert found(data, source=SSRC) == 6
    assert found(b"\x00" + RTCP + b"\x00", source=int.from_bytes(b"ssrc", "big")) == 1


def test_reply_is_found_and_a_word_in_the_bytes_is_not() -> None:
    assert found(b"RTSP/ and RTSP/1.0 200 OK\r\n") == 10


@given(st.binary(max_size=400), st.integers(0, 400))
def test_search_never_looks_behind_its_end(data: bytes, at: int) -> None:
    at = min(at, len(data))
    place = found(data, at)
    assert place == -1 or at <= place < len(data)


@pytest.mark.parametrize("head", [b"$\x00\xff\xf0\x80\x60", b"$\x01\xff\xf0\x80\xc8"])
def test_head_by_chance_in_a_picture_is_no_frame_of_its_source(head: bytes) -> None:
    """It would be found in one of 4,600 packets of 1400 bytes, and take that packet's picture for damaged."""
    data = b"\x55" * 40 + head + b"\x55" * 40
    assert found(data, source=SSRC) == -1
    assert found(data) == 40  # before the source is known it may be one


def test_pictures_of_chance_are_not_torn() -> None:
    """Each packet is the last of what was received."""
    seeded = random.Random(3)
    frames = Frames()
    frames.expect(0, 96)
    for _ in range(20_000):
        data = frame(b"\x5c\x01" + seeded.randbytes(1398), 5, 5)
        assert not frames.find(memoryview(data), 1, len(data), SSRC)[1]

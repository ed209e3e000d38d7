"""H.265 becomes H.264: the same pictures at the same times, key frames where they were, old ones left out."""

from __future__ import annotations

import io
import json
import os
import time
from typing import Any

import av
import numpy as np
import pytest

from ingest.access_unit import AccessUnit
from live.annex_b import annex_b
from live.converting.worker import SIZE_MAX, Converter, convert, fitting
from live.protocol import Kind, Picture, Stream, pack_stream, picture_head, read_frame_from, read_picture, read_stream
from tests.support.cameras.video import encoded, units
from tests.support.live import stream_of


def film(seconds: float = 2.0, **more: Any) -> list[AccessUnit]:
    return units(encoded(seconds, codec="libx265", **more), codec="hevc")


def sent(film: list[AccessUnit], *, replayed: int = 0) -> io.BytesIO:
    """As the parent writes it. replayed: so many pictures are old ones"""
    parts = [pack_stream(stream_of(film[0].parameters))]
    for number, unit in enumerate(film):
        old = number < replayed
        size = len(unit.data)
        at = unit.pts_ticks
        parts += [
            picture_head(size_bytes=size, pts_ticks=at, mono_ns=number, key=unit.key, damaged=False, replayed=old),
            unit.data,
        ]
    return io.BytesIO(b"".join(parts))


def converted(source: io.BytesIO) -> list[Stream | Picture]:
    sink = io.BytesIO()
    convert(source, sink)
    sink.seek(0)
    found: list[Stream | Picture] = []
    while (frame := read_frame_from(sink)) is not None:
        found.append(read_stream(frame[1]) if frame[0] is Kind.STREAM else read_picture(frame[1]))
    return found


def decoded(made: list[Stream | Picture], codec: str = "h264") -> list[Any]:
    decoder: Any = av.CodecContext.create(codec, "r")
    frames, sets = [], ()
    for one in made:
        if isinstance(one, Stream):
            sets = one.sets
        else:
            packet = av.Packet(annex_b(one.data, sets if one.key else ()))
            packet.pts = one.pts_ticks
            frames += decoder.decode(packet)
    return [*frames, *decoder.decode(None)]


@pytest.mark.parametrize("b_frames", [0, 2])
def test_each_picture_keeps_its_time_and_what_it_shows(b_frames: int) -> None:
    source = film(b_frames=b_frames)
    stream, *pictures = made = converted(sent(source))
    assert isinstance(stream, Stream)
    assert (stream.codec, stream.mime[:9]) == ("h264", "avc1.42c0")  # constrained baseline: every browser plays it
    shown = decoded(made)
    wanted = decoded([stream_of(source[0].parameters), *(as_picture(one) for one in source)], "hevc")
    times = [one.pts for one in wanted][: len(shown)]
    assert len(shown) >= len(source) - 4  # those that a decoder still holds are no loss: they come with the next
    assert [one.pts for one in shown] == times
    for mine, theirs in zip(shown, wanted, strict=False):
        error = np.abs(mine.to_ndarray(format="gray").astype(int) - theirs.to_ndarray(format="gray"))
        assert error.mean() < 6
    assert all(isinstance(one, Picture) for one in pictures)
    keys = [one.pts_ticks for one in pictures if isinstance(one, Picture) and one.key]
    assert keys == [one.pts_ticks for one in source if one.key]


def as_picture(unit: AccessUnit) -> Picture:
    return Picture(data=unit.data, pts_ticks=unit.pts_ticks, mono_ns=0, key=unit.key)


def test_old_pictures_are_decoded_and_not_sent() -> None:
    source = film()
    _, *pictures = converted(sent(source, replayed=20))
    assert [one.pts_ticks for one in pictures if isinstance(one, Picture)] == [u.pts_ticks for u in source[20:]]
    first = pictures[0]
    assert isinstance(first, Picture)
    assert first.key
    assert first.mono_ns == 20


def test_damaged_pictures_do_not_end_it() -> None:
    source = film(3.0)
    for number in (5, 6, 30):
        source[number].data = b"\0\0\0\x05\x02\x01\xff\xff\xff"
    times = [one.pts_ticks for one in converted(sent(source)) if isinstance(one, Picture)]
    whole = [one.pts_ticks for number, one in enumerate(source) if number < 5 or 25 <= number < 30 or number >= 50]
    assert set(whole[:-4]) <= set(times)  # from each key frame on


@pytest.mark.parametrize(
    ("size", "made"),
    [
        ((1920, 1080), (1920, 1080)),
        ((3840, 2160), (1920, 1080)),
        ((2160, 3840), (1080, 1920)),
        ((2560, 1920), (1440, 1080)),
        ((641, 361), (640, 360)),
        ((1, 1), (2, 2)),
    ],
)
def test_larger_pictures_are_made_smaller(size: tuple[int, int], made: tuple[int, int]) -> None:
    assert fitting(*size) == made
    assert max(fitting(*size)) <= max(SIZE_MAX)


@pytest.mark.slow
def test_what_it_costs_is_what_the_documents_say(capsys: pytest.CaptureFixture[str]) -> None:
    """Processor time, which others on the machine lengthen little; with noise, since smooth pictures cost less."""
    source = film(1.0, size=(1920, 1080), noise=40, more=":bitrate=4000:vbv-maxrate=4000:vbv-bufsize=8000")
    converter = Converter()
    converter.begin(stream_of(source[0].parameters))
    began_s = time.process_time()
    for unit in source:
        converter.push(as_picture(unit))
    each_ms = (time.process_time() - began_s) / len(source) * 1000
    with capsys.disabled():
        print(json.dumps({"size": "1920x1080", "cpu_ms_a_picture": round(each_ms, 1), "load": os.getloadavg()[0]}))
    assert each_ms < 100

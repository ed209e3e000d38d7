"""A thumbnail is the picture whose interval holds the time that was asked for."""

from __future__ import annotations

import io
import random

import av
import pytest

from api.footage.thumbnail.worker import WIDTH, thumbnail
from demo.video import strip
from domain.time import Span
from tests.support.cameras.timed import SIZE, ZERO_MS, filmed
from tests.support.cameras.video import units
from tests.support.footage.sealed import START_NS
from tests.support.footage.shelf import Shelf, read

MS = 1_000_000


def taken_at(jpeg: bytes) -> int:
    """When the picture was taken, in ms since ZERO_MS, as its strip says."""
    with av.open(io.BytesIO(jpeg), format="jpeg_pipe") as container:
        frame = next(container.decode(video=0))
    assert frame.width == WIDTH
    found = strip.read(frame.to_ndarray(format="gray"))
    assert found is not None
    return found[0] - ZERO_MS


@pytest.mark.parametrize("b_frames", [0, 2])
@pytest.mark.parametrize("varying", [False, True])
async def test_thumbnail_at_random_times_is_the_picture_of_the_time(b_frames: int, varying: bool) -> None:
    dice = random.Random(7)
    times = [at for at in range(0, 12_000, 40) if not varying or at % 2000 == 0 or dice.random() < 0.4]
    shelf = Shelf()
    shelf.film(units(filmed(times, gop=50, b_frames=b_frames)), START_NS, codec_size=SIZE)
    for _ in range(20):
        at_ms = dice.randrange(times[0], times[-1])
        clip = await shelf.clip(Span(START_NS + at_ms * MS, START_NS + (at_ms + 1) * MS))
        at_us = (START_NS + (at_ms + 1) * MS - 1 - clip.span.start_ns) // 1000
        assert taken_at(thumbnail(await read(clip), at_us)) == max(taken for taken in times if taken <= at_ms)


async def test_time_before_the_clip_has_no_picture() -> None:
    shelf = Shelf()
    shelf.film(units(filmed(range(0, 2000, 40))), START_NS, codec_size=SIZE)
    clip = await read(await shelf.clip(Span(START_NS, START_NS + 2000 * MS)))
    assert thumbnail(clip, -1) == b""
    assert taken_at(thumbnail(clip, 0)) == 0

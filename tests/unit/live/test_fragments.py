"""Fragments of one picture, judged by libav: every picture once, in order, with its true time and duration."""

from __future__ import annotations

import io
import itertools

import av
import pytest

from live.fragments import Fragments
from live.viewer import reorder_depth
from storage.mp4 import boxes, parse_moof
from tests.support.live import pictures, stream_of, units


@pytest.mark.parametrize("b_frames", [0, 1, 2, 3])
def test_every_picture_decodes_at_its_own_time(b_frames: int) -> None:
    shown = pictures(50, b_frames)
    depth = reorder_depth(shown)
    assert bool(depth) == bool(b_frames)
    writer = Fragments(depth)
    parts = [part for one in shown if (part := writer.push(one)) is not None]
    assert len(parts) == len(shown) - 1  # the last one's duration is not known yet
    init = stream_of(units(50, b_frames)[0].parameters).init
    with av.open(io.BytesIO(init + b"".join(parts))) as container:
        times = [frame.pts for frame in container.decode(video=0)]
    first = min(one.pts_ticks for one in shown)
    wanted = sorted(one.pts_ticks - first for one in shown[:-1])
    assert [at - times[0] for at in times] == wanted
    moofs = [parse_moof(part[: next(iter(boxes(part))).end]) for part in parts]
    assert [one.frames for one in moofs] == [1] * len(parts)
    for one, after in itertools.pairwise(moofs):
        assert one.decode_ticks + one.duration_ticks == after.decode_ticks  # no hole
    assert [one.key for one in moofs] == [one.key for one in shown[:-1]]


def test_a_time_that_goes_back_is_still_decoded_after_the_one_before() -> None:
    first, second, third = pictures(3)
    writer = Fragments()
    assert writer.push(second) is None
    part = writer.push(first)
    assert part is not None
    assert parse_moof(part[: next(iter(boxes(part))).end]).duration_ticks == 1
    assert writer.push(third) is not None

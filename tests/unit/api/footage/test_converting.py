"""Groups of a clip as H.264: every picture at its own time to the tick and showing it; ffprobe and the strip judge."""

from __future__ import annotations

import io
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import av
import pytest

from api.footage import ClipReader
from api.footage.converting import converted
from demo.video import strip
from live.client import LiveClient
from tests.support.cameras.timed import SIZE, ZERO_MS, filmed
from tests.support.cameras.video import units
from tests.support.footage.sealed import START_NS
from tests.support.footage.shelf import Shelf, whole_span
from tests.support.live import ME
from tests.unit.live.test_looks import rig

STEADY = tuple(range(0, 6000, 40))
UNEVEN = tuple(sorted({*range(0, 2000, 40), *range(2000, 4000, 480), *range(4000, 6000, 33)} - {400, 440}))
OPEN = ":min-keyint=2:open-gop=1"


async def shelf_of(at_ms: Sequence[int], **coded: Any) -> tuple[Shelf, ClipReader]:
    shelf = Shelf()
    shelf.film(units(filmed(at_ms, codec="h265", **coded), "hevc"), START_NS, codec_size=SIZE)
    return shelf, await shelf.clip(whole_span(shelf))


async def made_of(clip: ClipReader, run: Path, start: int, end: int) -> tuple[bytes, list[tuple[int, int]]]:
    watched: list[tuple[int, int]] = []

    async def note(first: int, last: int) -> None:
        watched.append((first, last))

    async with rig(run):
        pieces = [piece async for piece in converted(clip, LiveClient(run, ME), start, end, note)]
    return b"".join(pieces), watched


def ticks_by_ffprobe(data: bytes, path: Path) -> list[int]:
    """Of every decoded picture."""
    path.write_bytes(data)
    command = ("ffprobe", "-v", "error", "-select_streams", "v", "-show_entries", "frame=pts", "-of", "csv=p=0")
    told = subprocess.run((*command, str(path)), check=True, capture_output=True, text=True).stdout
    return [int(line.strip(",")) for line in told.split()]


def strips(data: bytes) -> list[int]:
    with av.open(io.BytesIO(data), format="mp4") as container:
        found = [strip.read(frame.to_ndarray(format="gray")) for frame in container.decode(video=0)]
    return [each[0] - ZERO_MS for each in found if each is not None]


@pytest.mark.skipif(shutil.which("ffprobe") is None, reason="ffprobe is not installed")
@pytest.mark.parametrize(
    ("at_ms", "coded"),
    [
        (STEADY, {"b_frames": 0}),
        (STEADY, {"b_frames": 2}),
        (UNEVEN, {"b_frames": 2}),
        (STEADY, {"b_frames": 3, "gop": 27, "more": OPEN}),
    ],
)
async def test_pictures_keep_their_times_and_what_they_show(
    tmp_path: Path, at_ms: Sequence[int], coded: dict[str, Any]
) -> None:
    _, clip = await shelf_of(at_ms, **coded)
    first, *_, last = groups = clip.groups_in(0, clip.size_bytes)
    middle = groups[len(groups) // 2]
    for start, end in ((first.at, clip.size_bytes), (middle.at, middle.at + 1), (last.at + 5, last.at + 6)):
        (begin, *_, finish) = chosen = [*clip.groups_in(start, end), clip.groups_in(start, end)[-1]]
        wanted = [at for at in at_ms if begin.place.start_ticks <= at * 90 < finish.place.end_ticks]
        data, watched = await made_of(clip, tmp_path, start, end)
        assert ticks_by_ffprobe(data, tmp_path / "made.mp4") == [at * 90 for at in wanted]
        assert strips(data) == wanted
        assert watched == [(each.at, each.at + each.place.size_bytes) for each in chosen[:-1]]


async def test_parameters_that_change_and_h264_between_are_converted_as_well(tmp_path: Path) -> None:
    shelf, at = Shelf(), [range(0, 2000, 40), range(2000, 4000, 40), range(4000, 6000, 40)]
    for times, coded in zip(at, ({"codec": "h265"}, {"codec": "h265", "b_frames": 2}, {"codec": "h264"}), strict=True):
        taken = units(filmed(times, **coded), "h264" if coded["codec"] == "h264" else "hevc")
        shelf.film(taken, START_NS + times[0] * 1_000_000, codec_size=SIZE)
    clip = await shelf.clip(whole_span(shelf))
    data, _ = await made_of(clip, tmp_path, 0, clip.size_bytes)
    assert strips(data) == list(STEADY)


async def test_what_may_not_be_counted_as_watched_is_not_converted(tmp_path: Path) -> None:
    _, clip = await shelf_of(STEADY[:50])

    async def refuse(*_: int) -> None:
        raise PermissionError

    async with rig(tmp_path):
        made = converted(clip, LiveClient(tmp_path, ME), 0, clip.size_bytes, refuse)
        with pytest.raises(PermissionError):
            await anext(made)

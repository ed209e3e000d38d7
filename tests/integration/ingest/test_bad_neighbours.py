"""Cameras that stall, lie, send garbage or 64 MB: the others' pictures come as before, memory is bounded, it is said.

Everything from the connection to the sealed spool runs in this process, on one loop; the cameras are other processes.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import random
import statistics
import time
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from demo.video.marker import read_stamp
from ingest.access_unit import AccessUnit, Loss, Source
from ingest.camera import Camera
from ingest.media.clock import RecorderClock
from ingest.rtsp import source as native
from ingest.settings import CameraSettings, SourceKind
from ingest.sources import Sources
from tests.support.cameras.bad_cameras import KINDS
from tests.support.cameras.load_generator import child
from tests.support.cameras.native import camera, take
from tests.support.cameras.rtp import losses, units
from tests.support.footage.recording import Rig, assert_tiled, make_rig
from tests.support.footage.sealed import START_NS

GOOD, SECONDS = 6, 7.0
LOAD = (
    "--cameras",
    str(GOOD),
    "--size",
    "640x360",
    "--fps",
    "25",
    "--gop",
    "25",
    "--bitrate",
    "1000000",
    "--loop",
    "2",
)
pytestmark = pytest.mark.slow


@dataclass
class Seen:
    """Of the good cameras: when each picture came, behind when it was sent."""

    lags_s: list[float] = field(default_factory=list)
    pictures: int = 0
    losses: int = 0


class Watched:
    """A source that notes what comes."""

    def __init__(self, source: Source, seen: Seen) -> None:
        self._source, self._seen = source, seen

    def __getattr__(self, name: str) -> Any:
        return getattr(self._source, name)

    async def batches(self) -> AsyncGenerator[list[AccessUnit | Loss], None]:
        offset_ns = time.time_ns() - time.monotonic_ns()
        async with aclosing(self._source.batches()) as batches:
            async for batch in batches:
                now_ns = time.monotonic_ns()
                for unit in units(batch):
                    self._seen.pictures += 1
                    stamp = read_stamp(unit.data[:200])
                    if stamp is not None:
                        self._seen.lags_s.append((now_ns + offset_ns) / 1e9 - stamp[0] / 1e3)
                self._seen.losses += len(losses(batch))
                yield batch


@contextlib.asynccontextmanager
async def recording(
    rig: Rig, cameras: Sequence[CameraSettings], watched: dict[str, Seen]
) -> AsyncIterator[list[Camera]]:
    sources = Sources()

    def make(settings: CameraSettings) -> Source:
        made = sources.make(settings)
        return Watched(made, watched[settings.name]) if settings.name in watched else made

    clock = RecorderClock(time.monotonic_ns(), START_NS)
    async with rig.recorder() as recorder:
        made = [
            Camera(settings, rig.camera(recorder, number), make, clock, random.Random(number))
            for number, settings in enumerate(cameras)
        ]
        tasks = [asyncio.create_task(one.run()) for one in made] + [asyncio.create_task(ticking(made))]
        try:
            yield made
        finally:
            for task in tasks:
                task.cancel()
            ended = await asyncio.gather(*tasks, return_exceptions=True)
            for one in made:
                one.stop()
            assert not [error for error in ended if not isinstance(error, asyncio.CancelledError)]


async def ticking(cameras: Sequence[Camera]) -> None:
    while True:
        await asyncio.sleep(0.25)
        for one in cameras:
            one.tick()


async def measured(directory: Path, good: Sequence[str], bad: dict[str, int]) -> tuple[Seen, list[Camera], Rig, int]:
    """What came of the good cameras, all cameras, the rig, and by how much this process grew (bytes)."""
    settings = [named(f"good-{number}", url) for number, url in enumerate(good)]
    settings += [named(kind, f"rtsp://127.0.0.1:{port}/t") for kind, port in bad.items()]
    rig = make_rig(directory, len(settings))
    seen = Seen()
    async with recording(rig, settings, {item.name: seen for item in settings[: len(good)]}) as cameras:
        before = await resident()
        await asyncio.sleep(SECONDS)
        grown = await resident() - before
    return seen, cameras, rig, grown


def named(name: str, url: str) -> CameraSettings:
    made = camera(url, source=SourceKind.NATIVE, segment_s=3.0, segment_max_s=6.0)
    return CameraSettings(
        **{slot: getattr(made, slot) for slot in made.__dataclass_fields__ if slot != "name"}, name=name
    )


async def hogging() -> None:
    """What one camera must never do to the others."""
    while True:
        time.sleep(1.5)  # noqa: ASYNC251 - that is the point
        await asyncio.sleep(0.5)


async def resident() -> int:
    text = await asyncio.to_thread(Path("/proc/self/statm").read_text)
    return int(text.split()[1]) * 4096


async def test_others_pictures_come_as_before_and_the_state_says_what_is_wrong(
    tmp_path: Path, record_property: Any
) -> None:
    with child("demo.rtsp_server", *LOAD) as load, child("tests.support.cameras.bad_cameras") as bad:
        await measured(tmp_path / "warm", load["urls"], {})
        alone, _, _, grown_alone = await measured(tmp_path / "alone", load["urls"], {})
        beside, cameras, rig, grown = await measured(tmp_path / "beside", load["urls"], bad)
        hog = asyncio.create_task(hogging())
        control, *_ = await measured(tmp_path / "control", load["urls"], {})
        hog.cancel()
    figures = {
        "pictures": beside.pictures / alone.pictures,
        "lag_median": statistics.median(beside.lags_s) / statistics.median(alone.lags_s),
        "lag_p99": percentile(beside.lags_s) / percentile(alone.lags_s),
        "grown_mib": round(grown / 2**20, 1),
        "grown_alone_mib": round(grown_alone / 2**20, 1),
    }
    print(figures, f"median {statistics.median(alone.lags_s):.3f} s alone, p99 {percentile(alone.lags_s):.3f} s alone")
    for name, value in figures.items():
        record_property(name, value)
    assert percentile(control.lags_s) / percentile(alone.lags_s) > 3.0  # positive control: a delay would be seen
    assert (alone.losses, beside.losses) == (0, 0)
    assert figures["pictures"] > 0.9
    assert figures["lag_median"] < 1.5
    assert figures["lag_p99"] < 3.0
    assert grown - grown_alone < 48 << 20  # 64 MB were offered, and endless headers, and garbage without end
    told = {one.settings.name: one.health for one in cameras}
    for number in range(GOOD):
        health = told[f"good-{number}"]
        assert (health.state, health.last_error, health.losses) == ("stopped", "", 0)
        live = rig.catalogue.live(rig.cameras[number])
        # But for what came before the first key frame, and what was on its way at the end.
        assert sum(item.frames for item in live) > (SECONDS - 1.0 - 0.5) * 25
        assert_tiled([item.span for item in live], [gap.span for gap in rig.catalogue.gaps(rig.cameras[number])])
    assert "announces a message of 67108864 bytes" in told["big_sdp"].last_error
    assert "does not speak RTSP" in told["endless_head"].last_error
    assert "not RTSP" in told["garbage"].last_error or told["garbage"].losses
    assert told["lies"].clock_jumps > 0 or told["lies"].last_error
    assert told["frames"].frames == 0 or told["frames"].losses
    for number, kind in enumerate(KINDS, start=GOOD):  # of every one each second is footage or a gap
        spans = [item.span for item in rig.catalogue.live(rig.cameras[number])]
        assert_tiled(spans, [gap.span for gap in rig.catalogue.gaps(rig.cameras[number])])
        assert rig.catalogue.gaps(rig.cameras[number]), kind


async def test_silent_and_stalled_cameras_are_told_in_their_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ingest.rtsp.connection.STALLED_NS", 2_000_000_000)
    monkeypatch.setattr("ingest.rtsp.source._OPEN_S", 2.0)
    with child("tests.support.cameras.bad_cameras") as bad:
        _, cameras, _, _ = await measured(tmp_path, [], {kind: bad[kind] for kind in ("silent", "stalls")})
    told = {one.settings.name: one.health for one in cameras}
    assert "does not answer in time" in told["silent"].last_error
    assert "sends nothing" in told["stalls"].last_error


def percentile(values: list[float]) -> float:
    return statistics.quantiles(values, n=100)[98]


@pytest.mark.parametrize(
    "limit", [212_992, 425_984]
)  # as getsockopt tells it: the whole limit, or what it allows to ask for
async def test_small_receive_buffer_and_16_mbit_lose_nothing(monkeypatch: pytest.MonkeyPatch, limit: int) -> None:
    monkeypatch.setattr(native, "_RECEIVE_BUFFER", limit // 2)
    words = (
        "--cameras",
        "1",
        "--size",
        "1280x720",
        "--fps",
        "25",
        "--gop",
        "25",
        "--bitrate",
        "16000000",
        "--loop",
        "2",
    )
    with child("demo.rtsp_server", *words) as load:
        assert load["bit_rate"] > 12_000_000
        began_s = time.monotonic()
        items = await take(Sources().make(camera(load["urls"][0])), 250, timeout_s=30)
        took_s = time.monotonic() - began_s
    pictures = units(items)
    assert losses(items) == []
    steps = [after.pts_ticks - before.pts_ticks for before, after in itertools.pairwise(pictures)]
    assert set(steps) <= {3599, 3600, 3601}
    assert took_s < 13  # ten seconds of pictures, and the start: the camera was not held up

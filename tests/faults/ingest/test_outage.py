"""The object store is gone for long and comes back: what waited is caught up with, and live recording is not hurt.

Time is compressed: segments are small and recorded as fast as they can be made, so that an hour of eight cameras (2880
segments of ten seconds) takes seconds. ``--outage-hours 6`` is the whole of what trust.md asks for.
"""

from __future__ import annotations

import asyncio
import hashlib
import os
import statistics
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from runtime.settings import StoreSettings
from tests.conftest import Database
from tests.support.processes.killed_ingest import at_leisure
from tests.support.processes.killed_recorder import Scene, Stage, stage
from tests.support.processes.record_process import read_account

pytestmark = [pytest.mark.slow, pytest.mark.services, pytest.mark.timeout(3600)]

CAMERAS = 8
SEGMENT_S = 10.0
WORKERS = 4
IN_CI_HOURS = 0.04


@pytest.fixture
async def scenery(
    database: Database, store: StoreSettings, tmp_path: Path, figures: Path | None
) -> AsyncIterator[Stage]:
    async with stage(database, store, tmp_path, log=figures) as made:
        yield made


async def delays_s(scene: Scene, since_ns: int) -> list[float]:
    """From a segment's acknowledgement to its row, of those acknowledged since then."""
    query = "SELECT camera_id, start_ns, committed_ns FROM segment WHERE camera_id = ANY ($1)"
    rows = await scene.stage.owner.fetch(query, list(scene.cameras))
    committed = {(str(row["camera_id"]), row["start_ns"]): row["committed_ns"] for row in rows}
    lines = [line for line in read_account(scene.directory / "account") if line["k"] == "fin" and line["t"] > since_ns]
    return [(committed[line["c"], line["s"]] - line["t"]) / 1e9 for line in lines]


async def put_rate(scene: Scene, size: int) -> float:
    """Objects a second that the store takes from as many clients, with nothing else going on: the floor."""
    data = os.urandom(size)
    digest = hashlib.sha256(data).digest()
    began_s = time.monotonic()

    async def some(worker: int) -> None:
        for number in range(60):
            name = f"floor/{scene.directory.name}-{worker}-{number}"
            await scene.stage.objects.put_new(name, data, size_bytes=size, sha256=digest)

    await asyncio.gather(*(some(worker) for worker in range(WORKERS)))
    return 60 * WORKERS / (time.monotonic() - began_s)


async def test_store_gone_for_long_is_caught_up_with_beside_live_recording(
    scenery: Stage, seed: int, outage_hours: float | None
) -> None:
    hours = outage_hours or IN_CI_HOURS
    waiting = round(hours * 3600 / SEGMENT_S)  # of each camera
    scene = await scenery.scene(cameras=CAMERAS)
    common = {"seed": seed, "size": 2000, "pause_s": 0.0, "upload_concurrency": WORKERS}
    assert await scene.run(**common, segments=1, drain_s=20.0) == 0
    code = await scene.run(**common, segments=waiting, store=scene.without_store())
    assert code == 0, scene.said()
    backlog = len(list((scene.spool.directory / "segments").glob("*.tlns")))
    assert backlog == CAMERAS * waiting
    floor = await put_rate(scene, 8000)

    live = {**common, "segments": 6, "pause_s": 0.02}
    began_ns = time.time_ns()
    watching = asyncio.create_task(_until_empty(scene))
    assert await scene.run(**live, drain_s=3600.0) == 0, scene.said()
    caught_up_s = await watching - began_ns / 1e9
    during = await delays_s(scene, began_ns)
    again_ns = time.time_ns()
    assert await scene.run(**live, drain_s=60.0) == 0, scene.said()
    without = await delays_s(scene, again_ns)

    rate = backlog / caught_up_s
    real_time = CAMERAS / SEGMENT_S
    made = await scene.verdict("store gone for long", seed)
    made.notes = {
        "hours": hours,
        "backlog_segments": backlog,
        "caught_up_per_s": round(rate, 1),
        "times_real_time": round(rate / real_time, 1),
        "floor_puts_per_s": round(floor, 1),
        "live_delay_s_median": round(statistics.median(during), 3),
        "live_delay_s_median_without": round(statistics.median(without), 3),
    }
    scenery.say(made)
    assert made.lost == 0
    assert not at_leisure() or rate >= min(5 * real_time, 0.8 * floor), made.notes
    # Live footage does not queue behind what waited: that would take as long as catching up does.
    assert statistics.median(during) < max(0.5 * caught_up_s, 3 * statistics.median(without)), made.notes


async def _until_empty(scene: Scene) -> float:
    """When the last of what had waited got its row."""
    first = {path.stem for path in (scene.spool.directory / "segments").glob("*.tlns")}
    while first & {path.stem for path in (scene.spool.directory / "segments").glob("*.tlns")}:  # noqa: ASYNC110
        await asyncio.sleep(0.1)
    return time.time()

"""Live pictures at 1, 4 and 16 viewers: how old they are, how soon they come, and what they cost. By hand:

``LIVE_SECONDS=60 LIVE_PRESSES=20 python -m pytest -m long -n 0 -s tests/browser/live/test_many_viewers.py``

One viewer is Debian's Chromium, which decodes and is measured by the strip in the pictures. The others take the same
camera's pictures without decoding them, each over a connection of its own: aiortc, or plain HTTPS.
"""

from __future__ import annotations

import asyncio
import json
import os
import statistics
import sys
import time
from asyncio.subprocess import PIPE
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Final

import psutil
import pytest
from playwright.async_api import Page

from tests.browser.chromium import MARKS
from tests.browser.demo_desk import Desk
from tests.browser.live.test_first_picture import PRESSES, STAGES, percentile, pressed
from tests.browser.live.test_live_pictures import NO_UDP, SECONDS, ages, camera_of, open_live

pytestmark = [*MARKS, pytest.mark.asyncio(loop_scope="module"), pytest.mark.long, pytest.mark.timeout(1200)]
ROLES: Final = ("live", "serve", "ingest", "custodian")
LOST: Final = "SELECT count(*) FROM gap WHERE end_ns > $1 AND cause NOT IN ('start', 'stop')"
RECORDED: Final = """
    SELECT count(DISTINCT camera_id), sum(frames), sum(end_ns - start_ns) FROM segment
    WHERE start_ns >= $1 AND state = 'live'
"""


@asynccontextmanager
async def crowd(desk: Desk, page: Page, way: str, count: int) -> AsyncIterator[dict[str, Any]]:
    """So many viewers beside the browser, each with its first picture. What they took is there after the block."""
    taken: dict[str, Any] = {}
    if not count:
        yield taken
        return
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.support.live_viewers", stdin=PIPE, stdout=PIPE
    )
    assert process.stdin is not None
    assert process.stdout is not None
    cookie = "; ".join(f"{one['name']}={one['value']}" for one in await page.context.cookies())
    said = await page.evaluate("[document.documentElement.dataset.csrf, document.documentElement.dataset.purpose]")
    asked = {"address": desk.address, "cookie": cookie, "csrf": said[0], "purpose": said[1], "way": way}
    asked |= {"camera": await camera_of(desk), "count": count}
    process.stdin.write(json.dumps(asked).encode() + b"\n")
    try:
        assert json.loads(await process.stdout.readline()) == {"ready": count}
        yield taken
        process.stdin.close()
        taken |= json.loads(await process.stdout.readline())
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


def cpu_s(desk: Desk) -> dict[str, float]:
    """Of each role's process so far."""
    found = {}
    for name in ROLES:
        times = psutil.Process(desk.everything.processes[name].pid).cpu_times()
        found[name] = times.user + times.system
    return found


async def costs(desk: Desk, work: Any) -> tuple[Any, dict[str, Any]]:
    """What the work brings, and what happened meanwhile: CPU in hundredths of a core, pictures recorded and lost."""
    began_ns, before, began = time.time_ns(), cpu_s(desk), time.monotonic()
    busy = psutil.cpu_times()
    found = await work
    took = time.monotonic() - began
    after, now = cpu_s(desk), psutil.cpu_times()
    await asyncio.sleep(12)  # until the last segment is in the catalogue
    cameras, frames, recorded_ns = await desk.owner.fetchrow(RECORDED, began_ns)
    return found, {
        "cpu_hundredths": {name: round(100 * (after[name] - before[name]) / took, 1) for name in ROLES},
        "machine_idle": round((now.idle - busy.idle) / took / psutil.cpu_count(), 2),
        "gaps": await desk.owner.fetchval(LOST, began_ns),
        "recorded_pictures_per_camera_s": round(int(frames) / (int(recorded_ns) / 1e9), 2) if cameras else None,
    }


async def presses(page: Page) -> list[float]:
    """How long the first picture took after each press, ms."""
    found = []
    for number in range(PRESSES):
        stages = await pressed(page, *(("#all", 2) if number % 2 == 0 else (".tile:first-child .enlarge", 1)))
        found.append(stages["picture"])
    return found


def say(**figures: Any) -> None:
    print(json.dumps({**figures, "load": [round(one, 1) for one in os.getloadavg()]}), flush=True)


async def test_recording_without_viewers(desk: Desk) -> None:
    """What the other figures are compared with."""
    _, meanwhile = await costs(desk, asyncio.sleep(SECONDS))
    say(viewers=0, **meanwhile)
    assert meanwhile["gaps"] == 0


@pytest.mark.parametrize("viewers", [1, 4, 16])
@pytest.mark.parametrize("way", ["WebRTC", "HTTPS"])
async def test_pictures_are_of_now_however_many_watch(desk: Desk, way: str, viewers: int) -> None:
    page = await desk.page()
    await page.add_init_script(STAGES)
    if way == "HTTPS":
        await page.add_init_script(NO_UDP)
    await open_live(desk, page, f"?camera={await camera_of(desk)}")
    assert await page.inner_text(".tile .note") == way
    async with crowd(desk, page, way, viewers - 1) as taken:
        await asyncio.sleep(2)
        shown, meanwhile = await costs(desk, ages(page, SECONDS))
        first = await presses(page)
    say(
        way=way,
        viewers=viewers,
        seconds=SECONDS,
        pictures=len(shown),
        median_ms=statistics.median(shown),
        p95_ms=percentile([float(one) for one in shown], 0.95),
        presses=len(first),
        first_picture_median_ms=round(statistics.median(first)),
        first_picture_p95_ms=round(percentile(first, 0.95)),
        others=taken,
        **meanwhile,
    )
    assert len(shown) > SECONDS * 8  # of 12.5 a second
    assert statistics.median(shown) < (700 if way == "WebRTC" else 1000)
    assert meanwhile["gaps"] == 0
    await page.context.close()

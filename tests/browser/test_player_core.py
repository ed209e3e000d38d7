"""The player's pure parts in a page: which picture a time has, what a state is, what a clip's boxes say."""

from __future__ import annotations

import asyncio
import io
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

import av
import pytest
from playwright.async_api import Page, Route

from api.pages.rendering import DIRECTORY
from domain.time import Span
from tests.browser.chromium import MARKS, chromium
from tests.browser.player_stand import StandCamera
from tests.support.footage.sealed import START_NS
from tests.support.footage.shelf import read

pytestmark = [*MARKS]
CORE: Final = Path(__file__).parent / "core"
ORIGIN: Final = "http://core.test"
KINDS: Final = {".js": "text/javascript", ".html": "text/html", ".mp4": "video/mp4"}


@pytest.fixture
async def page(tmp_path: Path) -> AsyncIterator[Page]:
    """Served from the disk, without a server; /clips is ``tmp_path``."""

    async def serve(route: Route) -> None:
        path = urlsplit(route.request.url).path
        folder = next((folder for name, folder in folders.items() if path.startswith(name)), CORE)
        file = folder / path.split("/", 2)[2]
        body = await asyncio.to_thread(file.read_bytes)
        await route.fulfill(body=body, content_type=KINDS[file.suffix])

    folders = {"/static/": DIRECTORY / "static", "/clips/": tmp_path}
    async with chromium() as browser:
        made = await browser.new_page()
        await made.route(f"{ORIGIN}/**", serve)
        await made.goto(f"{ORIGIN}/core/index.html")
        yield made


async def test_every_case_holds(page: Page) -> None:
    failed: dict[str, str] = await page.evaluate(
        """async () => {
          const { cases } = await import('/core/cases.js');
          const failed = {};
          for (const [name, tried] of Object.entries(cases)) {
            try { tried(); } catch (error) { failed[name] = String(error); }
          }
          return Object.keys(cases).length ? failed : { none: 'no cases' };
        }"""
    )
    assert failed == {}


@pytest.mark.parametrize(("b_frames", "size"), [(0, 7), (2, 4096), (2, 1 << 20)])
async def test_times_from_the_boxes_are_those_of_a_decoder(
    page: Page, tmp_path: Path, b_frames: int, size: int
) -> None:
    camera = StandCamera(name="Lobby")
    camera.film(range(0, 6000, 40), gop=50, b_frames=b_frames)
    camera.film(range(6000, 9000, 80), gop=20)
    clip = await camera.shelf.clip(Span(START_NS, START_NS + 9 * 10**9))
    data = await read(clip)
    await asyncio.to_thread((tmp_path / "clip.mp4").write_bytes, data)
    told: dict[str, Any] = await page.evaluate(
        "([size]) => import('/core/cases.js').then(({ picturesIn }) => picturesIn('/clips/clip.mp4', size, 0))", [size]
    )
    with av.open(io.BytesIO(data), format="mp4") as container:
        shown = sorted(
            float(packet.pts * packet.time_base) for packet in container.demux(video=0) if packet.pts is not None
        )
        keys = [float(entry) for entry in told["starts"]]
    assert told["found"] == pytest.approx(shown, abs=1e-4)
    assert all(min(abs(key - at) for at in shown) < 2e-3 for key in keys)
    assert len(keys) == 3 + 2


@pytest.mark.parametrize("doing", ["append(new Uint8Array(1_000_000))", "remove(0, Infinity)"])
async def test_buffer_that_is_closed_while_it_works_keeps_its_caller_waiting_no_longer(page: Page, doing: str) -> None:
    """A decoder's error closes it at any time; a fetch that waited for ever would be this camera's last."""
    came: str = await page.evaluate(
        f"""async () => {{
          const {{ CONVERTED, Sink }} = await import('/static/player/sink.js');
          const sink = new Sink(document.createElement('video'));
          await sink.open(CONVERTED, 1e12);
          const working = sink.{doing}.then(() => 'done', (error) => error.constructor.name);
          sink.close();
          return Promise.race([working, new Promise((resolve) => setTimeout(resolve, 3000, 'waits'))]);
        }}"""
    )
    assert came == "ClosedError"

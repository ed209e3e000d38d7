"""Recorded H.265 in Debian's Chromium, which cannot play it: converted, each picture at its own time, by its strip."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Browser, Page

from live.client import LiveClient
from tests.browser.chromium import MARKS, chromium
from tests.browser.player_stand import Stand, StandCamera, player_stand
from tests.browser.strips import read_player
from tests.browser.test_player import hold_exact, place, player, reach, settle, states, steady, veil_of, wait
from tests.support.cameras.timed import ZERO_MS
from tests.support.live import ME
from tests.unit.live.test_looks import rig

pytestmark = [*MARKS]


@pytest.fixture
async def browser() -> AsyncIterator[Browser]:
    async with chromium() as made:
        yield made


def h265(name: str, *spans: tuple[int, int], **coded: Any) -> StandCamera:
    camera = StandCamera(name=name)
    for start_ms, end_ms in spans:
        camera.film(steady(start_ms, end_ms), codec="h265", **coded)
    return camera


@asynccontextmanager
async def gym(run: Path, *cameras: StandCamera, conversions_max: int = 2) -> AsyncIterator[Stand]:
    """A player's server, behind which the role `live` converts."""
    async with rig(run, conversions_max=conversions_max), player_stand(*cameras, until_ms=60_000) as stand:
        for camera in cameras:
            camera.converter = LiveClient(run, ME)
        yield stand


async def shows(page: Page, at_ms: int) -> bool:
    return (await read_player(page))[1][0].strip_ms == ZERO_MS + at_ms


async def test_sought_and_stepped_each_picture_is_that_of_its_time(browser: Browser, tmp_path: Path) -> None:
    dice = random.Random(3)
    cameras = h265("Lobby", (0, 40_000), gop=50, b_frames=2), h265("Door", (0, 40_000), number=1, gop=13)
    async with gym(tmp_path, *cameras) as stand, player(browser, stand, 20_000) as page:
        for _ in range(8):
            await page.mouse.click(*await place(page, dice.uniform(5000, 35_000), 20_000))
            await hold_exact(page, stand, await settle(page, 20))
        at_ms = cameras[0].picture_at(await settle(page))
        for key, step in ((".", 40), (".", 40), (",", -40), (",", -40), (",", -40)):
            at_ms += step
            await page.keyboard.press(key)
            await wait(lambda at=at_ms: shows(page, at), f"the picture of {at_ms}")
            await settle(page)
        assert [await page.locator(".tile .converted").nth(each).is_visible() for each in (0, 1)] == [True, True]
        await page.locator(".tile .converted").first.click()
        assert "a third of a processor or more" in await page.inner_text("#toast")
        assert all(camera.converted for camera in cameras)  # each group is counted as watched before it is given


async def test_playing_leads_through_a_gap_and_back_to_h264(browser: Browser, tmp_path: Path) -> None:
    camera = h265("Lobby", (0, 20_000), (22_000, 30_000), gop=50)
    camera.film(steady(30_000, 40_000), gop=50)
    async with gym(tmp_path, camera) as stand, player(browser, stand, 18_000, playing=True) as page:
        await reach(page, "playing")
        await reach(page, "gap")
        await reach(page, "playing")
        await asyncio.sleep(3)
        assert await states(page) == ["playing"]
        await page.keyboard.press("k")
        await hold_exact(page, stand, await settle(page))
        await page.mouse.click(*await place(page, 36_000, 18_000))
        await hold_exact(page, stand, await settle(page))


async def test_where_no_place_is_free_the_page_says_so_and_tries_again(browser: Browser, tmp_path: Path) -> None:
    camera, other = h265("Lobby", (0, 20_000)), StandCamera(name="Door")
    other.film(steady(0, 20_000), number=1)
    async with gym(tmp_path, camera, other) as stand:
        converter, camera.converter = camera.converter, None
        async with player(browser, stand, 10_000) as page:
            await reach(page, "offline", "paused")
            assert "no further camera can be converted now" in await veil_of(page)
            camera.converter = converter
            await reach(page, "paused", "paused")
            await hold_exact(page, stand, await settle(page))


async def test_footage_that_cannot_be_converted_is_said_and_the_time_goes_on(browser: Browser, tmp_path: Path) -> None:
    camera, other = h265("Lobby", (0, 20_000), gop=25), StandCamera(name="Door")
    other.film(steady(0, 20_000), number=1)
    async with gym(tmp_path, camera, other) as stand:
        converter: Any = camera.converter
        camera.converter = Spoiling(converter)  # type: ignore[assignment]
        async with player(browser, stand, 9_500, playing=True) as page:
            await reach(page, "unplayable", "playing")
            assert await veil_of(page) == "This footage cannot be decoded."
            await reach(page, "playing", "playing")


class Spoiling:
    """Spoils every picture from 10 s to 12 s of the clip on its way to the converter."""

    def __init__(self, client: LiveClient) -> None:
        self._client = client

    def convert(self, pictures: AsyncIterator[Any]) -> AsyncIterator[Any]:
        return self._client.convert(self._spoilt(pictures))

    async def _spoilt(self, pictures: AsyncIterator[Any]) -> AsyncIterator[Any]:
        async for item in pictures:
            if 900_000 <= getattr(item, "pts_ticks", 0) < 1_080_000:
                continue
            yield item

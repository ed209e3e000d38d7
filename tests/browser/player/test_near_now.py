"""The player a moment after it happened: footage that is on its way is waited for, and nothing is passed over."""

from __future__ import annotations

import asyncio

import pytest
from playwright.async_api import Browser, Page

from tests.browser.chromium import MARKS
from tests.browser.player_stand import StandCamera, player_stand
from tests.browser.test_player import browser, player, reach, steady, wait
from tests.support.cameras.timed import ZERO_MS

__all__ = ["browser"]
pytestmark = [*MARKS]
ENDS_MS = 20_000
# The time that the player shows at its first turn with both cameras playing.
_FIRST_WITH_BOTH = """() => new Promise((resolve) => {
  const tiles = [...document.querySelectorAll(".tile")];
  const look = () => tiles.every((tile) => tile.dataset.state === "playing")
    ? resolve(Number(document.getElementById("player").dataset.timeMs)) : requestAnimationFrame(look);
  look();
})"""


def hall(until_ms: int, name: str) -> StandCamera:
    camera = StandCamera(name=name)
    camera.film(steady(0, until_ms), gop=25)
    return camera


async def at(page: Page) -> int:
    return int(await page.get_attribute("#player", "data-time-ms") or 0) - ZERO_MS


@pytest.mark.slow
async def test_time_stands_until_what_is_on_its_way_is_there(browser: Browser) -> None:
    first, second = hall(30_000, "Lobby"), hall(ENDS_MS, "Corridor")
    second.causes[ENDS_MS] = "pending"
    async with (
        player_stand(first, second, until_ms=30_000) as stand,
        player(browser, stand, 19_000, playing=True) as page,
    ):
        await reach(page, "playing", "gap")
        await asyncio.sleep(3)
        assert abs(await at(page) - ENDS_MS) < 200  # the other camera's pictures would go on
        assert await page.inner_text(".tile:nth-child(2) .veil") == "Footage is on its way"
        first_with_both = asyncio.create_task(page.evaluate(_FIRST_WITH_BOTH))
        await asyncio.sleep(0.1)  # it looks, from before the footage is there
        second.film(steady(ENDS_MS, 30_000), gop=25)

        async def goes_on() -> bool:
            return await at(page) > ENDS_MS + 500

        assert await first_with_both - ZERO_MS < ENDS_MS + 500
        await wait(goes_on, "goes on with both")


@pytest.mark.slow
async def test_what_does_not_come_holds_nobody_for_long(browser: Browser) -> None:
    first, second = hall(40_000, "Lobby"), hall(ENDS_MS, "Corridor")
    second.causes[ENDS_MS] = "pending"
    async with (
        player_stand(first, second, until_ms=40_000) as stand,
        player(browser, stand, 19_000, playing=True) as page,
    ):
        await reach(page, "playing", "gap")

        async def goes_on() -> bool:
            return await at(page) > ENDS_MS + 1000

        await wait(goes_on, "goes on without it")

"""Pictures along the timeline: when they are wanted, few, once the view rests, none while dragging or on a phone."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from domain.time import from_iso
from tests.browser.chromium import MARKS
from tests.browser.player.test_layout import PHONE, Browser, assert_on_screen, browser, edges, hall, opened
from tests.browser.player_stand import Stand, StandCamera, player_stand
from tests.browser.test_player import place, wait
from tests.browser.test_sign_in_page import SHOTS
from tests.support.cameras.timed import ZERO_MS

__all__ = ["browser"]
pytestmark = [*MARKS]


def pictured(camera: StandCamera) -> list[int]:
    return [from_iso(each) // 1_000_000 for each in camera.pictured]


def long_hall(count: int) -> list[StandCamera]:
    first = StandCamera(name="Hall")
    first.film(range(0, 240_000, 1_000), gop=5)
    return [first, *(StandCamera(name=f"Camera {number}", shelf=first.shelf) for number in range(1, count))]


async def filmed(stand: Stand, least: int) -> None:
    async def there() -> bool:
        return len(stand.cameras[0].pictured) >= least

    await wait(there, f"{least} pictures")
    await asyncio.sleep(0.5)


@pytest.mark.parametrize(("width", "height"), [(1366, 768), (1920, 1080)])
async def test_strip_comes_by_a_press_with_few_pictures_at_their_times(
    browser: Browser, width: int, height: int
) -> None:
    async with player_stand(*long_hall(2), until_ms=240_000) as stand:
        page = await opened(browser, stand, width, height)
        await asyncio.sleep(1)
        assert stand.cameras[0].pictured == []  # each is a look: not before it is asked for
        await page.keyboard.press("t")
        await page.locator("#film .shown").nth(4).wait_for()
        await filmed(stand, 5)
        found = pictured(stand.cameras[0])
        assert len(found) <= 14 and len({*found}) == len(found)
        assert stand.cameras[1].pictured == []
        apart = {late - early for early, late in zip(sorted(found), sorted(found)[1:], strict=False)}
        assert len(apart) == 1
        for span in await page.locator("#film span").all():
            left, _, right, _ = await edges(span)
            x, _ = await place(page, int(await span.get_attribute("data-at") or 0) - ZERO_MS, 20_000)
            assert (left + right) / 2 == pytest.approx(x, abs=2)
        if width == 1366:
            await assert_on_screen(page, "tiles", "play", "export", "film", "timeline")
        if SHOTS.name:
            await page.screenshot(path=SHOTS / f"player-film-{width}.png")
        wanted = int(await page.get_attribute("#film .shown >> nth=1", "data-at") or 0)
        await page.click(f"#film .shown[data-at='{wanted}']")  # the strip moves with the time that was chosen

        async def there() -> bool:
            return abs(int(await page.get_attribute("#player", "data-time-ms") or 0) - wanted) <= 1000

        await wait(there, "the time of the picture that was pressed")
        await page.reload()  # the choice stays
        await page.wait_for_selector("#film .shown")
        await page.context.close()


def filmed_in(stand: Stand) -> list[int]:
    """The times of the strip's pictures; the others are of what is pointed at."""
    return [at for at in pictured(stand.cameras[0]) if at % 20_000 == 0]


async def test_nothing_comes_while_one_drags_or_zooms_and_none_twice(browser: Browser) -> None:
    async with player_stand(*long_hall(1), until_ms=240_000) as stand:
        page = await opened(browser, stand, 1366, 768)
        x, y = await place(page, 30_000, 20_000)
        await page.mouse.move(x, y)
        await page.mouse.down()
        await page.keyboard.press("t")
        for step in range(20):
            await page.mouse.move(x + 5 * step, y)
            await asyncio.sleep(0.05)
        assert filmed_in(stand) == []
        await page.mouse.up()
        await filmed(stand, 5)
        before = len(pictured(stand.cameras[0]))
        await page.mouse.move(x, y)
        await page.keyboard.down("Shift")
        await page.mouse.wheel(0, 30)  # a little along
        await page.keyboard.up("Shift")
        await asyncio.sleep(1.5)
        found = filmed_in(stand)
        assert before <= len(found) <= before + 1 and len({*found}) == len(found)
        await page.keyboard.press("t")
        assert not await page.is_visible("#film")
        await page.context.close()


@pytest.mark.parametrize(("width", "height"), [(390, 844), (844, 390)])
async def test_a_phone_has_no_strip(browser: Browser, width: int, height: int) -> None:
    more: dict[str, Any] = PHONE
    async with player_stand(*hall(1), until_ms=60_000) as stand:
        page = await opened(browser, stand, width, height, **more)
        assert not await page.is_visible("#film-switch")
        await page.keyboard.press("t")
        await asyncio.sleep(1.2)
        assert stand.cameras[0].pictured == [] and not await page.is_visible("#film")
        await page.context.close()

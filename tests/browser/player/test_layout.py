"""The player's pictures, bar and timeline on a laptop and on a phone, and the picture of the time pointed at."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
from playwright.async_api import Browser, Locator, Page

from domain.time import from_iso
from pipeline.smoke.lateness import Lateness
from tests.browser.chromium import MARKS, chromium
from tests.browser.player_stand import Stand, StandCamera, player_stand, site_clock
from tests.browser.test_player import place, reach, wait
from tests.browser.test_sign_in_page import SHOTS
from tests.browser.two_people import fits
from tests.support.cameras.timed import ZERO_MS

pytestmark = [*MARKS]
PHONE: dict[str, Any] = {"is_mobile": True, "has_touch": True}


@pytest.fixture
async def browser() -> AsyncIterator[Browser]:
    async with chromium() as made:
        yield made


def hall(count: int) -> list[StandCamera]:
    """Cameras that show the same minute."""
    first = StandCamera(name="Entrance hall, by the door of the women's changing room")
    first.film(range(0, 60_000, 200))
    return [first, *(StandCamera(name=f"Camera {number}", shelf=first.shelf) for number in range(1, count))]


async def opened(browser: Browser, stand: Stand, width: int, height: int, **more: Any) -> Page:
    motion = more.pop("reduced_motion", "reduce")
    context = await browser.new_context(viewport={"width": width, "height": height}, reduced_motion=motion, **more)
    page = await context.new_page()
    await page.goto(stand.play(20_000))
    await page.wait_for_selector("#player[data-state=ready]")
    await reach(page, *["paused" if motion == "reduce" else "playing"] * len(stand.cameras))
    if SHOTS.name:
        await page.screenshot(path=SHOTS / f"player-{len(stand.cameras)}-{width}.png")
    return page


async def edges(place: Locator) -> tuple[float, float, float, float]:
    """Left, top, right, bottom."""
    box = await place.bounding_box()
    assert box is not None
    return box["x"], box["y"], box["x"] + box["width"], box["y"] + box["height"]


async def assert_on_screen(page: Page, *places: str) -> None:
    assert page.viewport_size is not None
    for each in places:
        left, top, right, bottom = await edges(page.locator(f"#{each}"))
        assert left >= 0 and top >= 0, each
        assert right <= page.viewport_size["width"] and bottom <= page.viewport_size["height"] + 0.5, each


async def assert_nothing_lies_on_the_pictures(page: Page) -> None:
    """Cameras burn their clock into the picture, at any edge."""
    assert page.viewport_size is not None
    for tile in await page.locator(".tile").all():
        _, top, right, bottom = await edges(tile.locator("video"))
        assert right <= page.viewport_size["width"]  # however long the camera's name is
        for each in (".label", ".enlarge"):
            _, begin, right, end = await edges(tile.locator(each))
            assert begin >= bottom or end <= top, each
            assert right <= page.viewport_size["width"], each


@pytest.mark.parametrize("count", [1, 2, 4])
async def test_pictures_bar_and_timeline_fit_on_a_laptop_screen(browser: Browser, count: int) -> None:
    async with player_stand(*hall(count), until_ms=60_000) as stand:
        page = await opened(browser, stand, 1366, 768)
        await assert_on_screen(page, "tiles", "play", "export", "timeline")
        await assert_nothing_lies_on_the_pictures(page)
        _, top, _, bottom = await edges(page.locator(".tile").first)
        assert bottom - top > (380 if count <= 2 else 160)
        await page.context.close()


async def test_on_a_phone_the_bar_is_at_hand_and_covers_no_clock(browser: Browser) -> None:
    async with player_stand(*hall(4), until_ms=60_000) as stand:
        page = await opened(browser, stand, 390, 844, **PHONE)
        assert await page.evaluate("document.documentElement.scrollWidth") <= 390
        await assert_on_screen(page, "play", "clock", "export", "full-screen", "timeline")
        await assert_nothing_lies_on_the_pictures(page)
        _, top, _, bottom = await edges(page.locator(".picture").first)
        assert bottom - top > 200
        await page.locator(".tile").last.scroll_into_view_if_needed()
        await assert_on_screen(page, "play", "timeline")
        await page.context.close()


async def test_held_sideways_the_pictures_fill_the_screen_and_the_bar_goes_when_left_alone(browser: Browser) -> None:
    async with player_stand(*hall(1), until_ms=60_000) as stand:
        page = await opened(browser, stand, 844, 390, reduced_motion="no-preference", **PHONE)
        left, top, right, bottom = await edges(page.locator("#stage"))
        assert (left, right, bottom - top) == (0, 844, 390) and abs(top) < 1
        _, top, _, bottom = await edges(page.locator(".picture"))
        assert bottom - top > 350
        await assert_on_screen(page, "play", "export", "timeline")
        await assert_nothing_lies_on_the_pictures(page)
        bar = page.locator(".bottom")

        async def opacity(wanted: str) -> bool:
            return str(await bar.evaluate("(bar) => getComputedStyle(bar).opacity")) == wanted

        await wait(lambda: opacity("0"), "the bar gone")
        await page.touchscreen.tap(422, 310)  # where the play button was
        await wait(lambda: opacity("1"), "the bar back")
        assert await page.get_attribute("#player", "data-playing") == "yes"
        await asyncio.sleep(0.5)
        await page.tap("#play")
        assert await page.get_attribute("#player", "data-playing") == ""
        await asyncio.sleep(3.2)
        assert await opacity("1")  # it stays while one looks at a picture
        await page.context.close()


async def test_pointing_at_the_timeline_shows_the_picture_of_the_time_after_a_rest(
    browser: Browser, late: Lateness
) -> None:
    async with player_stand(*hall(2), until_ms=60_000) as stand:
        page = await opened(browser, stand, 1280, 800)
        first, second = stand.cameras
        _, y = await place(page, 0, 20_000)  # the row of the second camera
        for at_ms in range(5_000, 55_000, 1_000):  # over it without a rest
            await page.mouse.move((await place(page, at_ms, 20_000))[0], y)
        x, _ = await place(page, 30_500, 20_000)
        await page.mouse.move(x, y)
        await page.wait_for_selector("#peek img:not([hidden])")
        assert await page.inner_text("#peek") == site_clock(30_500)[:8]
        rests = 3 + late.worst_ms // 50  # between two moves of a machine that is busy
        assert not first.pictured and 1 <= len(second.pictured) <= rests  # each is a look
        at_ms = from_iso(second.pictured[-1]) / 1e6 - ZERO_MS
        assert abs(at_ms - 30_500) <= 2_000
        if SHOTS.name:
            await page.screenshot(path=SHOTS / "player-peek.png")
        await page.mouse.move((await place(page, 90_000, 20_000))[0], y)  # nothing was recorded then
        assert await page.is_visible("#peek") and not await page.is_visible("#peek img")
        asked = len(second.pictured)
        await asyncio.sleep(0.5)
        assert len(second.pictured) == asked
        await page.mouse.move(5, 5)
        assert not await page.is_visible("#peek")
        await page.context.close()


async def shown_part(page: Page) -> tuple[float, float]:
    """How many times the picture is larger than its place, and which share of it lies left of that."""
    left, _, right, _ = await edges(page.locator(".tile video").first)
    begin, _, end, _ = await edges(page.locator(".tile .picture").first)
    return (right - left) / (end - begin), (begin - left) / (right - left)


async def test_a_picture_is_enlarged_where_one_points_and_moved(browser: Browser) -> None:
    async with player_stand(*hall(1), until_ms=60_000) as stand:
        page = await opened(browser, stand, 1366, 768)
        left, top, right, bottom = await edges(page.locator(".tile .picture"))
        await page.mouse.move(left + 0.9 * (right - left), (top + bottom) / 2)
        await page.mouse.wheel(0, -200)
        assert await shown_part(page) == (1, 0)  # the wheel alone scrolls the page
        await page.keyboard.down("Control")
        await page.mouse.wheel(0, -200)
        await page.keyboard.up("Control")
        scale, begin = await shown_part(page)
        assert scale == pytest.approx(2.718, abs=0.01)
        assert begin + 0.9 / scale == pytest.approx(0.9, abs=0.01)  # what was pointed at stays there
        await page.mouse.down()
        await page.mouse.move(left + 0.99 * (right - left), (top + bottom) / 2, steps=3)
        await page.mouse.up()
        assert (await shown_part(page))[1] == pytest.approx(begin - 0.09 / scale, abs=0.01)
        await page.keyboard.press("0")
        assert await shown_part(page) == (1, 0)
        # Pressed on the whole picture and let go outside: later the mouse moves nothing by itself.
        middle = (top + bottom) / 2
        await page.mouse.move((left + right) / 2, middle)
        await page.mouse.down()
        await page.mouse.move((left + right) / 2, 5)
        await page.mouse.up()
        await page.keyboard.press("z")
        before = await shown_part(page)
        await page.mouse.move(left + 0.3 * (right - left), middle)
        await page.mouse.move(left + 0.6 * (right - left), middle, steps=4)
        assert await shown_part(page) == pytest.approx(before, abs=1e-3)
        await page.keyboard.press("0")
        await page.keyboard.press("z")
        assert (await shown_part(page))[0] == pytest.approx(1.5, abs=0.01)
        await page.mouse.dblclick((left + right) / 2, (top + bottom) / 2)
        assert await shown_part(page) == (1, 0)


async def test_two_fingers_enlarge_the_picture_and_not_the_page(browser: Browser) -> None:
    async with player_stand(*hall(1), until_ms=60_000) as stand:
        page = await opened(browser, stand, 390, 844, **PHONE)
        left, top, right, bottom = await edges(page.locator(".tile .picture"))
        fingers = await page.context.new_cdp_session(page)
        middle, y = (left + right) / 2, (top + bottom) / 2
        for kind, apart in (("touchStart", 20), *(("touchMove", 20 + 10 * each) for each in range(1, 5))):
            points = [{"x": middle + side * apart, "y": y, "id": side + 1} for side in (-1, 1)]
            await fingers.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})
        await fingers.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
        scale, begin = await shown_part(page)
        assert scale == pytest.approx(3, abs=0.1)
        assert begin == pytest.approx(0.5 - 0.5 / scale, abs=0.05)
        assert await page.evaluate("visualViewport.scale") == 1


@pytest.mark.parametrize(("width", "height", "language"), [(1366, 768, "en-GB"), (390, 844, "fi-FI")])
async def test_calendar_leads_to_a_day_with_footage_at_a_time(
    browser: Browser, width: int, height: int, language: str
) -> None:
    async with player_stand(*hall(2), until_ms=60_000) as stand:
        page = await opened(browser, stand, width, height, locale=language)
        await page.keyboard.press("d")
        await page.wait_for_selector("#calendar-weeks button:enabled")
        days = page.locator("#calendar-weeks button")
        assert await page.locator("#calendar-weeks button:enabled").count() == 1
        assert await days.count() in (28, 29, 30, 31)
        chosen = page.locator("#calendar-weeks button:enabled")
        assert await chosen.get_attribute("aria-current") == "date"
        assert await page.evaluate("document.activeElement.matches('#calendar-weeks button:enabled')")
        await fits(page, f"calendar-{width}", full_page=False)
        await page.click("#calendar-before")
        await wait(lambda: page.locator("#calendar-weeks:not(:has(button:enabled))").count(), "a month without footage")
        await page.click("#calendar-after")
        await page.fill("#calendar-time", site_clock(31_000)[:8])
        await page.locator("#calendar-weeks button:enabled").press("Enter")

        async def there() -> bool:
            return abs(int(await page.get_attribute("#player", "data-time-ms") or 0) - (ZERO_MS + 31_000)) < 1000

        await wait(there, "the time that was typed")


async def test_wheel_over_the_clock_goes_a_picture_or_a_second(browser: Browser) -> None:
    async with player_stand(*hall(1), until_ms=60_000) as stand:
        page = await opened(browser, stand, 1366, 768)
        await page.hover("#clock")
        at = int(await page.get_attribute("#player", "data-time-ms") or 0)
        await page.mouse.wheel(0, 100)
        await reach(page, "paused")
        assert int(await page.get_attribute("#player", "data-time-ms") or 0) == at + 200  # pictures are so far apart
        await page.keyboard.down("Shift")
        await page.mouse.wheel(0, -100)
        await page.keyboard.up("Shift")
        await reach(page, "paused")
        assert int(await page.get_attribute("#player", "data-time-ms") or 0) == at - 800

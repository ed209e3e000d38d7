"""What the live page asks for, and what it says of the answers, over an API without a recorder."""

from __future__ import annotations

import json
from typing import Any

import pytest
from playwright.async_api import Page, Route

from api.live.streaming import HEAD
from live.protocol import Kind
from tests.browser.chromium import MARKS
from tests.browser.counter import Counter
from tests.browser.two_people import fits
from tests.integration.api.gym import LOBBY, NORTH

pytestmark = [*MARKS]
Asked = list[tuple[bool, bool]]


async def answered(page: Page, *messages: dict[str, Any]) -> list[Asked]:
    """Each request for looks gets these messages, of its first look; found: what each asked for, small and convert."""
    asked: list[Asked] = []

    async def answer(route: Route) -> None:
        request: Any = route.request.post_data_json
        asked.append([(look["small"], look["convert"]) for look in request["cameras"]])
        bodies = [json.dumps(one).encode() for one in messages]
        framed = b"".join(HEAD.pack(Kind.MESSAGE, 0, len(body)) + body for body in bodies)
        await route.fulfill(body=framed, content_type="application/vnd.tallenne.live")

    await page.route("**/v1/live", answer)
    return asked


async def test_a_wall_and_a_phone_ask_for_small_streams_and_one_camera_on_a_large_screen_for_the_whole(
    counter: Counter,
) -> None:
    """Debian's Chromium has no H.265, and says so."""
    page = counter.page
    asked = await answered(page, {"ended": "refused"})
    await counter.go(f"/live?site={NORTH}", ".tile:nth-child(2)[data-state=ended]")
    assert asked[0] == [(True, True)] * 2
    await page.click(".tile:first-child .enlarge")
    await page.wait_for_selector(".tile:only-child[data-state=ended]")
    assert asked[-1] == [(False, True)]
    assert "camera=" in page.url
    assert await page.evaluate("document.activeElement.id") == "all"
    await page.keyboard.press("Enter")
    await page.wait_for_selector(".tile:nth-child(2)[data-state=ended]")
    assert await page.evaluate("document.activeElement.className") == "button enlarge"
    await page.go_back()
    await page.wait_for_selector(".tile:only-child[data-state=ended]")
    assert [len(one) for one in asked] == [2, 1, 2, 1]
    await page.set_viewport_size({"width": 390, "height": 844})
    await counter.go(f"/live?camera={LOBBY}", ".tile:only-child[data-state=ended]")
    assert asked[-1] == [(True, True)]


async def test_what_is_converted_and_what_cannot_be_is_said(counter: Counter) -> None:
    page = counter.page
    asked = await answered(page, {"converted": "h265"}, {"ended": "conversions"})
    await counter.go(f"/live?camera={LOBBY}", ".tile[data-state=ended]")
    assert "no further camera can be converted now" in await page.inner_text(".tile .veil")
    await page.wait_for_timeout(4000)
    assert len(asked) == 1  # each would be a look on record: it is asked for again after half a minute
    await page.unroute("**/v1/live")
    await page.add_init_script("MediaSource.isTypeSupported = (type) => /hvc1/.test(type);")  # but not this camera's
    asked = await answered(page, {"mime": 'video/mp4; codecs="hev1.4"', "why": "h265"})
    await counter.go(f"/live?camera={LOBBY}", ".tile")
    await page.wait_for_timeout(1500)
    assert asked[:2] == [[(False, False)], [(False, True)]]


async def names(page: Page) -> list[str]:
    return await page.locator(".tile .label").all_inner_texts()


@pytest.mark.parametrize(("language", "width", "scheme"), [("en-GB", 1280, "light"), ("fi-FI", 390, "dark")])
async def test_a_wall_that_was_arranged_is_remembered(counter: Counter, language: str, width: int, scheme: Any) -> None:
    page = counter.page
    await page.set_viewport_size({"width": width, "height": 844})
    await page.emulate_media(color_scheme=scheme)
    await page.context.add_cookies([{"name": "tallenne-language", "value": language[:2], "url": counter.address}])
    await answered(page, {"ended": "refused"})
    wall = f"/live?site={NORTH}"
    await counter.go(wall, ".tile:nth-child(2)[data-state=ended]")
    assert await names(page) == ["Corridor", "Lobby"]
    await page.click("#arrange")
    await page.locator("#wall-rows li:first-child button:enabled").focus()
    await page.keyboard.press("Enter")
    assert (await page.locator("#wall-rows span").all_inner_texts()) == ["Lobby", "Corridor"]
    assert await page.evaluate(
        "document.activeElement.closest('li') === document.querySelector('#wall-rows li:last-child')"
    )
    await fits(page, f"wall-{width}", full_page=False)
    await page.click("#wall-save")
    await page.wait_for_selector("#wall-dialog:not([open])", state="attached")
    assert await names(page) == ["Lobby", "Corridor"]
    await counter.go(wall, ".tile:nth-child(2)[data-state=ended]")
    assert await names(page) == ["Lobby", "Corridor"]
    await page.click("#arrange")
    await page.uncheck("#wall-rows li:first-child input")
    await page.uncheck("#wall-rows li:last-child input")
    assert await page.is_disabled("#wall-save")
    await page.check("#wall-rows li:last-child input")
    await page.click("#wall-save")
    await page.wait_for_selector(".tile:only-child[data-state=ended]")
    assert await names(page) == ["Corridor"]
    assert await page.is_visible("#left-out")
    await page.click("#arrange")
    await page.click("#wall-reset")
    await page.wait_for_selector(".tile:nth-child(2)[data-state=ended]")
    assert await names(page) == ["Corridor", "Lobby"]

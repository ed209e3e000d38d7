"""Find in Chromium: the latest passages, what is wrong today, filters, page after page, and back again."""

from __future__ import annotations

import time

import pytest

from domain.time import NS
from tests.browser.chromium import MARKS
from tests.browser.counter import Counter, wait
from tests.browser.two_people import fits
from tests.integration.api.gym import SIDE

pytestmark = [*MARKS]
ANSWER = "**/v1/find?*"


async def busy_day(counter: Counter) -> None:
    """Two hundred passages 24 seconds apart, none just before Aino's, a held door, and one close upon another."""
    gym = counter.gym
    for number in range(200):
        await gym.event("granted", gym.now_ns - (710 + 24 * number) * NS, member=gym.onni)
    await gym.event("granted", gym.now_ns - 706 * NS)
    await gym.event("held_open", gym.now_ns - 650 * NS, door=SIDE)
    await gym.event("denied", time.time_ns(), member=gym.aino)  # its footage may still come


@pytest.mark.slow
async def test_latest_passages_filters_and_pages(counter: Counter) -> None:
    page, gym = counter.page, counter.gym
    await busy_day(counter)
    await counter.go("/find", "a.hit")
    assert await page.inner_text("#understood") == "The latest passages"
    assert "Footage is on its way" in await page.inner_text("a.hit >> nth=0")
    assert await page.locator("a.hit.warn:has-text('Again after 4 s')").count() == 1
    await fits(counter.page, "find-en-light", full_page=False)
    async with page.expect_response(ANSWER):
        await page.click("#today button:has-text('Held open')")
    await page.wait_for_selector("a.hit")
    assert await page.input_value("#query") == "today"
    assert len(await counter.hits()) == 1 and not await page.is_visible("#today")
    async with page.expect_response(ANSWER):
        await page.click("#filters button:has-text('Denied')")
    await page.wait_for_selector("a.hit >> nth=2")
    async with page.expect_response(ANSWER):
        await page.select_option("#door", label="Side door · North")
    await page.wait_for_selector("a.hit")
    assert {await row.inner_text() for row in await page.query_selector_all(".hit .badge")} == {"Held open", "Denied"}
    assert len(await counter.hits()) == 2
    await page.fill("#query", "")
    await page.click("#all")
    await page.wait_for_selector("a.hit >> nth=20")
    await counter.find("onni last 3 hours")
    while await page.is_visible("#older"):
        async with page.expect_response(ANSWER):
            await page.click("#older")
        await wait(lambda: page.is_enabled("#older"), "the next page")
    shown = await counter.hits()
    rows = await gym.owner.fetch(
        "SELECT event_id FROM access_event WHERE member_id = $1 ORDER BY occurred_ns DESC, event_id DESC",
        gym.onni,
    )
    assert shown == [f"/visit/{row['event_id']}" for row in rows] and len(shown) == 201
    assert await page.inner_text("#understood") == "201 passages · “onni” · " + await span_said(counter)
    await counter.find("virtanen")
    await page.click("#members a")
    await page.wait_for_selector("#results .hit")
    assert await page.inner_text("h1") == "Aino Virtanen"
    assert await page.inner_text("#understood") == "One visit · 4 passages"
    visit, refused = (
        page.locator("#results section:has-text('50 min')"),
        page.locator("#results section:has-text('outside')"),
    )
    assert await visit.locator(".badge").all_inner_texts() == ["Went out", "Denied", "Door unlocked, went in"]
    assert await refused.locator(".badge").all_inner_texts() == ["Denied"]
    await fits(counter.page, "find-member", full_page=False)


async def span_said(counter: Counter) -> str:
    return (await counter.page.inner_text("#understood")).rpartition(" · ")[2]


@pytest.mark.slow
async def test_back_from_the_player_finds_the_list_as_it_was(counter: Counter) -> None:
    page = counter.page
    await busy_day(counter)
    await counter.go("/find?lang=fi", "a.hit")
    async with page.expect_response(ANSWER):
        await page.click("#older")
    await page.wait_for_selector("a.hit >> nth=100")
    await page.set_viewport_size({"width": 390, "height": 844})
    await page.emulate_media(color_scheme="dark")
    await fits(counter.page, "find-fi-dark-phone", full_page=False)
    row = page.locator("a.hit >> nth=100")
    await row.scroll_into_view_if_needed()
    before = await row.bounding_box()
    await row.click()
    await page.wait_for_selector("#player[data-state=ready]")
    await page.go_back()
    await page.wait_for_selector("a.hit >> nth=100")

    async def there() -> bool:
        now = await row.bounding_box()
        assert before and now
        return abs(now["y"] - before["y"]) < 5

    await wait(there, "the same place of the list")
    assert len(await counter.hits()) > 100
    await page.set_viewport_size({"width": 1280, "height": 800})
    await page.evaluate("scrollTo(0, 0)")
    await counter.find("pidetty auki tänään")
    assert await page.inner_text(".hit .badge") == "Pidetty auki"
    await fits(counter.page, "find-fi-dark", full_page=False)

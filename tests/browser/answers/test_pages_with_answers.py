"""Audit, cameras and a member over made-up answers: in both languages, light and dark, wide, on a phone, on paper."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from playwright.async_api import Page

from tests.browser.answers.answers import LONG, MEMBER, ORIGIN, answer_all
from tests.browser.chromium import MARKS, chromium
from tests.browser.steps import prints
from tests.browser.two_people import fits

pytestmark = [*MARKS]


@pytest.fixture(params=[("en-GB", 1280, "light"), ("fi-FI", 390, "dark")], ids=["wide", "phone"])
async def shown(request: pytest.FixtureRequest) -> AsyncIterator[Page]:
    language, width, scheme = request.param
    async with chromium() as browser:
        context = await browser.new_context(
            locale=language, viewport={"width": width, "height": 844}, color_scheme=scheme
        )
        page = await context.new_page()
        complaints: list[str] = []
        page.on("pageerror", lambda error: complaints.append(str(error)))
        await answer_all(page, language[:2])
        yield page
        assert complaints == []


async def look(page: Page, name: str) -> None:
    size = page.viewport_size
    assert size is not None
    await fits(page, f"{name}-{size['width']}")


async def test_audit_has_a_row_for_each_sitting_and_its_entries_on_request(shown: Page) -> None:
    await shown.goto(f"{ORIGIN}/audit")
    rows = shown.locator("#entries tr")
    await rows.first.wait_for()
    assert await rows.count() == 3  # forty of one sitting, one of the machine, one alone
    said = await rows.first.inner_text()
    assert "×20" in said and "Hall ×40" in said and "51–90" in said
    assert await shown.locator("#actor option").all_inner_texts() != []
    await prints(shown)
    await shown.click("[aria-expanded=false]")
    assert await rows.count() == 43
    await look(shown, "audit")
    await shown.click("[aria-expanded=true]")
    assert await rows.count() == 3
    async with shown.expect_request("**/v1/audit?*") as asked:
        await shown.select_option("#actor", "staff:7")
        await shown.fill("#number", "1042")
        await shown.click("#filters button")
    assert "actor=staff%3A7&number=1042" in (await asked.value).url


async def test_cameras_show_pictures_what_is_ill_first_and_what_was_removed_apart(shown: Page) -> None:
    await shown.goto(f"{ORIGIN}/cameras")
    await shown.wait_for_selector(".test-picture img")
    names = await shown.locator("#sites > section > .cards >> nth=0 >> strong").all_inner_texts()
    assert names == ["Hall 11", LONG, "Hall 9", "Hall 10"]
    assert not await shown.is_visible("text=Lobby")
    await look(shown, "cameras")
    await shown.click(".gone summary")
    assert await shown.locator(".gone strong").all_inner_texts() == ["Lobby"]
    assert await shown.locator(".gone .test-picture").count() == 0


async def test_member_has_every_visit_with_its_passages_and_what_was_refused_between(shown: Page) -> None:
    await shown.goto(f"{ORIGIN}/members/{MEMBER}")
    await shown.wait_for_selector("a.hit")
    assert await shown.inner_text("h1") == "Aino Virtanen"
    groups = [await each.locator("a.hit").count() for each in await shown.locator("#results section").all()]
    assert groups == [2, 1, 2]
    assert "10:31" in await shown.inner_text("#results section >> nth=2 >> h2")
    assert await shown.locator("a.hit.warn, a.hit.bad").count() == 2  # close upon another, and refused
    await look(shown, "member")

"""Bookmarks in the player: pressed at a moment, noted, seen on the timeline and in the list, in a case, removed."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from playwright.async_api import Page

from domain.time import NS, from_iso, to_iso
from tests.browser.chromium import MARKS
from tests.browser.export.office_desk import OfficeDesk
from tests.browser.player.test_any_camera import SIZES, reach
from tests.browser.steps import wait
from tests.browser.two_people import fits
from tests.integration.api.cases.test_cases import hold_of, opened
from tests.integration.api.footage import Footage
from tests.integration.api.gym import CORRIDOR, LOBBY
from tests.integration.api.test_exports import exporter

pytestmark = [*MARKS, pytest.mark.slow]


async def at(desk: OfficeDesk, page: Page, footage: Footage, after_s: int) -> None:
    cameras = f"camera={LOBBY}&camera={CORRIDOR}"
    await page.goto(f"{desk.address}/play?{cameras}&at={to_iso(footage.span.start_ns + after_s * NS)}")
    await reach(page, "paused", "paused")


async def bookmarks(desk: OfficeDesk) -> list[dict[str, Any]]:
    return [dict(row) for row in await desk.office.owner.fetch("SELECT * FROM bookmark ORDER BY at_ns")]


@pytest.mark.parametrize(("language", "size"), [("en-GB", "wide"), ("fi-FI", "phone")])
async def test_moment_is_bookmarked_seen_by_others_and_removed_by_its_author(
    office_desk: OfficeDesk, footage: Footage, language: str, size: str
) -> None:
    page = await office_desk.page(await exporter(office_desk.office), language, reduced_motion="reduce", **SIZES[size])
    await at(office_desk, page, footage, 4)
    if size == "phone":
        await page.tap("#bookmark")
    else:
        await page.keyboard.press("b")
    await page.wait_for_selector("#bookmark-dialog[open]")
    assert await page.evaluate("document.activeElement.id") == "bookmark-note"
    await page.keyboard.type("Two on <b>one</b> card")
    await page.select_option("#bookmark-camera", str(CORRIDOR))
    await fits(page, f"bookmarks-dialog-{language[:2]}")
    await page.keyboard.press("Enter")
    await page.wait_for_selector("#bookmarks li")
    said = await page.inner_text("#bookmarks li")
    assert "Two on <b>one</b> card" in said and "Corridor" in said
    (made,) = await bookmarks(office_desk)
    shown_ns = int(await page.get_attribute("#player", "data-time-ms") or 0) * 1_000_000
    assert (made["camera_id"], abs(made["at_ns"] - shown_ns) <= 40_000_000) == (CORRIDOR, True)
    await fits(page, f"bookmarks-listed-{language[:2]}")
    # Nothing but the key: the moment of another camera, and a picture later.
    await page.keyboard.press("ArrowRight")
    await reach(page, "paused", "paused")
    await page.click("#bookmark")
    await page.keyboard.press("Enter")
    await wait(lambda: page.locator("#bookmarks li").nth(1).count(), "a second bookmark")
    # A colleague sees both, goes to one by a press, and may remove neither.
    other = await office_desk.page(await exporter(office_desk.office), language, reduced_motion="reduce", **SIZES[size])
    await at(office_desk, other, footage, 2)
    await other.locator("#bookmarks li").nth(1).wait_for()
    assert await other.locator("#bookmarks .remove").count() == 0
    await other.click("#bookmarks li:first-child button")
    wanted_ms = made["at_ns"] // 1_000_000

    async def there() -> bool:
        return abs(int(await other.get_attribute("#player", "data-time-ms") or 0) - wanted_ms) <= 1

    await wait(there, "the time of the bookmark")
    await reach(other, "paused", "paused")
    page.on("dialog", lambda dialog: asyncio.ensure_future(dialog.accept()))
    await page.click("#bookmarks li:first-child .remove")
    await wait(lambda: page.locator("#bookmarks li:only-child").count(), "one bookmark left")
    assert [each["camera_id"] for each in await bookmarks(office_desk)] == [LOBBY]
    await page.context.close()
    await other.context.close()


async def test_bookmark_goes_into_a_case_that_keeps_its_moment_and_shows_there(
    office_desk: OfficeDesk, footage: Footage
) -> None:
    client = await exporter(office_desk.office)
    case = await opened(client, office_desk.office)
    path = f"/v1/cases/{case['case_id']}"
    page = await office_desk.page(client, "en-GB", reduced_motion="reduce", **SIZES["wide"])
    await at(office_desk, page, footage, 4)
    await press_into(page, case["number"], "too early")
    await page.wait_for_selector("#toast.shown:has-text('not put into the case')")
    assert (await client.post(f"{path}/holds", json=hold_of(footage))).status_code == 201
    await press_into(page, case["number"], "The door stays open")
    await page.wait_for_selector("#bookmarks .badge:has-text('In a case')")
    await page.goto(f"{office_desk.address}/cases/{case['case_id']}")
    await page.wait_for_selector("#bookmarks li")
    assert "The door stays open" in await page.inner_text("#bookmarks")
    assert await page.locator("#bookmarks li").count() == 1
    await fits(page, "bookmarks-case")
    link = await page.get_attribute("#bookmarks a", "href")
    assert link is not None and str(LOBBY) in link
    await page.click("#bookmarks a")
    await reach(page, "paused")
    made = next(each for each in await bookmarks(office_desk) if each["case_id"])
    assert int(await page.get_attribute("#player", "data-time-ms") or 0) == made["at_ns"] // 1_000_000
    assert from_iso(to_iso(made["at_ns"])) == made["at_ns"]
    await page.context.close()


async def press_into(page: Page, number: str, note: str) -> None:
    await page.keyboard.press("b")
    await page.wait_for_selector(f"#bookmark-case option:has-text('{number}')", state="attached")
    await page.fill("#bookmark-note", note)
    await page.select_option("#bookmark-camera", str(LOBBY))
    await page.locator("#bookmark-case").select_option(index=1)
    await page.click("#bookmark-form button.primary")
    await page.wait_for_selector("#bookmark-dialog", state="hidden")


async def test_pointing_at_a_flag_on_the_timeline_says_what_was_noted(
    office_desk: OfficeDesk, footage: Footage
) -> None:
    client = await exporter(office_desk.office)
    at_ns = footage.span.start_ns + 6 * NS
    body = {"camera_id": str(LOBBY), "at": to_iso(at_ns), "note": "A parcel"}
    assert (await client.post("/v1/bookmarks", json=body)).status_code == 201
    page = await office_desk.page(client, "en-GB", reduced_motion="reduce", **SIZES["wide"])
    await at(office_desk, page, footage, 6)  # in the middle of the view
    await page.wait_for_selector("#bookmarks li")
    box = await page.locator("#timeline").bounding_box()
    assert box is not None
    await page.mouse.move(box["x"] + box["width"] / 2 + 2, box["y"] + 34)
    await page.wait_for_selector("#peek:has-text('A parcel')")
    await page.mouse.move(box["x"] + box["width"] / 2 + 60, box["y"] + 34)
    assert "A parcel" not in await page.inner_text("#peek")
    await page.context.close()

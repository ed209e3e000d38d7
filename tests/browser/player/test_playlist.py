"""The passages of a search in the player, one after another: each on record first, what shows nothing skipped aloud."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Any

import pytest
from playwright.async_api import Page

from domain.ids import EventId
from domain.time import NS, Span, to_iso
from tests.browser.chromium import MARKS
from tests.browser.export.office_desk import OfficeDesk
from tests.browser.player.test_any_camera import SIZES
from tests.browser.steps import wait
from tests.browser.two_people import fits
from tests.integration.api.conftest import Client
from tests.integration.api.footage import Footage
from tests.integration.api.gym import CORRIDOR, FRONT, LOBBY, SIDE, SOUTH, SOUTH_CAMERA, SOUTH_DOOR, Gym
from tests.integration.api.test_exports import exporter

pytestmark = [*MARKS, pytest.mark.slow]


@dataclass(kw_only=True)
class Passages:
    """Of the last minute, as Find lists them: the newest first."""

    coming: EventId
    side: EventId
    south: EventId
    front: EventId
    missing: EventId

    @property
    def all(self) -> list[str]:
        return [str(each) for each in (self.coming, self.side, self.south, self.front, self.missing)]


async def passages(gym: Gym, footage: Footage) -> Passages:
    """Clips of two seconds within the footage, and on either side of it one whose footage is not there."""
    await gym.owner.execute("UPDATE door_camera SET before_ns = $1, after_ns = $1", NS)
    await gym.owner.execute("DELETE FROM access_event")
    start_ns = footage.span.start_ns
    gone = Span(start_ns - 60 * NS, start_ns - 30 * NS)
    await gym.owner.execute(
        "INSERT INTO gap VALUES ($1, $2, $3, 'unreachable', '')", CORRIDOR, gone.start_ns, gone.end_ns
    )
    return Passages(
        coming=await gym.event("granted", footage.span.end_ns + 3 * NS, door=SIDE),
        side=await gym.event("denied", start_ns + 9 * NS, door=SIDE, member=gym.aino),
        south=await gym.event("granted", start_ns + 6 * NS, site=SOUTH, door=SOUTH_DOOR, member=gym.onni),
        front=await gym.event("granted", start_ns + 3 * NS, door=FRONT, member=gym.aino),
        missing=await gym.event("granted", start_ns - 40 * NS, door=SIDE),
    )


async def current(page: Page) -> str:
    found = await page.get_attribute("#clips [aria-current]", "data-event") if await on_list(page) else ""
    return found or ""


async def on_list(page: Page) -> int:
    return await page.locator("#clips [aria-current]").count()


async def reached(page: Page, event: EventId) -> None:
    async def there() -> bool:
        return await current(page) == str(event)

    await wait(there, f"{event}", 20)


async def seen(page: Page) -> None:
    await page.wait_for_selector(".tile:is([data-state=playing], [data-state=paused])")


async def opened(desk: OfficeDesk, client: Client, language: str, **more: Any) -> Page:
    """By the button of Find."""
    page = await desk.page(client, language, **more)
    await page.goto(f"{desk.address}/find")
    await page.wait_for_selector("#play-all:not([hidden])")
    await fits(page, f"playlist-find-{language[:2]}")
    await page.click("#play-all")
    await page.wait_for_selector("#player[data-state=ready]")
    return page


async def looks(desk: OfficeDesk, *actions: str) -> list[tuple[str, Any]]:
    return [(row["action"], row["camera_id"]) for row in await desk.office.audit() if row["action"] in actions]


@pytest.mark.parametrize(("language", "size"), [("en-GB", "wide"), ("fi-FI", "phone")])
async def test_clips_follow_one_another_and_what_is_not_there_is_skipped_with_its_reason(
    office_desk: OfficeDesk, gym: Gym, footage: Footage, language: str, size: str
) -> None:
    made = await passages(gym, footage)
    client = await exporter(office_desk.office)
    page = await opened(office_desk, client, language, **SIZES[size])
    listed = await page.evaluate("[...document.querySelectorAll('#clips li')].map((each) => each.dataset.event)")
    assert listed == made.all
    await reached(page, made.side)  # the one before it is still to come
    await seen(page)
    assert await looks(office_desk, "look") == [("look", CORRIDOR)]
    await reached(page, made.south)
    await seen(page)
    await fits(page, f"playlist-second-{language[:2]}")
    await reached(page, made.front)
    assert "/visit/" + str(made.front) in page.url
    await seen(page)

    async def over() -> bool:
        return await page.get_attribute("#player", "data-playing") == ""

    await wait(over, "the end of the list", 20)
    skipped = page.locator("#clips [data-skipped]")
    assert [await each.get_attribute("data-event") for each in await skipped.all()] == [
        str(made.coming), str(made.missing),
    ]  # fmt: skip
    reasons = [await each.inner_text() for each in await page.locator("#clips [data-skipped] .why").all()]
    assert all(len(each) > len("Skipped: ") for each in reasons) and len({*reasons}) == 2
    if language == "en-GB":
        assert reasons == ["Skipped: On its way to the store", "Skipped: The camera could not be reached"]
    await fits(page, f"playlist-end-{language[:2]}")
    # Each passage was on record, and a look was at cameras of the passages that showed alone, within their clips.
    rows = [row for row in await office_desk.office.audit() if row["action"] == "look"]
    assert {row["camera_id"] for row in rows} == {CORRIDOR, SOUTH_CAMERA, LOBBY}
    assert all(footage.span.start_ns + 2 * NS <= row["start_ns"] for row in rows)
    assert all(row["end_ns"] <= footage.span.start_ns + 10 * NS + NS // 10 for row in rows)
    assert {row["purpose_id"] for row in rows} == {rows[0]["purpose_id"]}
    await page.context.close()


async def test_keys_and_presses_go_to_any_of_them(office_desk: OfficeDesk, gym: Gym, footage: Footage) -> None:
    made = await passages(gym, footage)
    page = await opened(
        office_desk, await exporter(office_desk.office), "en-GB", reduced_motion="reduce", **SIZES["wide"]
    )
    await page.keyboard.press("Shift+N")
    await reached(page, made.side)
    await seen(page)
    assert not await page.get_attribute("#player", "data-playing")  # it rests, as before
    await page.click("#next-clip")
    await reached(page, made.south)
    assert await page.locator(".tile").count() == 1
    await page.click(f"#clips [data-event='{made.front}'] button")
    await reached(page, made.front)
    await page.wait_for_selector(".tile + .tile[data-state=paused]")
    await page.keyboard.press("Shift+P")
    await reached(page, made.south)
    # One that was chosen shows what is missing of it, and why.
    await page.click(f"#clips [data-event='{made.missing}'] button")
    await reached(page, made.missing)
    await page.wait_for_selector(".tile .veil:has-text('The camera could not be reached')")
    await page.reload()
    await reached(page, made.missing)
    await page.keyboard.press("Shift+N")
    await page.wait_for_selector("#toast.shown:has-text('the last passage')")
    assert await current(page) == str(made.missing)
    # Beyond its clip a passage is looked at as long as one likes.
    await page.click(f"#clips [data-event='{made.south}'] button")
    await reached(page, made.south)
    await seen(page)
    await page.keyboard.press("ArrowRight")
    await page.keyboard.press("k")
    await asyncio.sleep(1.5)
    assert await current(page) == str(made.south)
    await page.context.close()


async def test_restricted_footage_is_skipped_and_another_purpose_has_no_list(
    office_desk: OfficeDesk, gym: Gym, footage: Footage
) -> None:
    made = await passages(gym, footage)
    client = await exporter(office_desk.office)
    review = to_iso(office_desk.office.clock.now_ns + 3600 * NS)
    case = await client.post("/v1/cases", json={"title": "T", "reason": "R", "review": review})
    span = {"start": to_iso(footage.span.start_ns), "end": to_iso(footage.span.end_ns)}
    hold = {"kind": "restriction", "camera_ids": [str(SOUTH_CAMERA)], **span}
    assert (await client.post(f"/v1/cases/{case.json()['case_id']}/holds", json=hold)).status_code == 201
    page = await opened(office_desk, client, "en-GB", **SIZES["wide"])
    await reached(page, made.side)
    await reached(page, made.front)
    row = page.locator(f"#clips [data-event='{made.south}']")
    assert await row.locator(".why").inner_text() == "Skipped: Restricted by a case"
    office_desk.office.clock.now_ns += NS
    await client.state_purpose()
    await page.reload()
    await page.wait_for_selector("#playlist-note:has-text('another purpose')")
    assert await page.locator("#clips li").count() == 0
    assert not await page.is_visible("#next-clip")
    await page.context.close()

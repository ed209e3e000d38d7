"""Any camera of the site in the player, at its present moment, on the same page; each on record before it shows."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from playwright.async_api import Page

from api.credentials.accounts import NewGrant
from domain.time import NS, to_iso
from tests.browser.chromium import MARKS
from tests.browser.export.office_desk import OfficeDesk
from tests.browser.steps import states, violations, wait
from tests.browser.test_sign_in_page import SHOTS
from tests.integration.api.conftest import Client
from tests.integration.api.footage import Footage
from tests.integration.api.gym import CORRIDOR, LOBBY, NORTH, SOUTH_CAMERA, Gym
from tests.integration.api.test_exports import exporter

pytestmark = [*MARKS]
SIZES: dict[str, dict[str, Any]] = {
    "phone": {"viewport": {"width": 390, "height": 844}, "is_mobile": True, "has_touch": True, "color_scheme": "dark"},
    "wide": {"viewport": {"width": 1280, "height": 900}},
}


async def opened(desk: OfficeDesk, client: Client, footage: Footage, language: str, **more: Any) -> Page:
    page = await desk.page(client, language, reduced_motion="reduce", **more)
    at = to_iso(footage.span.start_ns + 4 * NS)
    await page.goto(f"{desk.address}/play?camera={LOBBY}&at={at}")
    await reach(page, "paused")
    return page


async def reach(page: Page, *wanted: str) -> None:
    async def there() -> bool:
        return await states(page) == list(wanted)

    await wait(there, f"{wanted}")


async def recorded(desk: OfficeDesk, camera: Any) -> list[str]:
    found = await desk.office.audit()
    return [row["action"] for row in found if row["camera_id"] == camera and row["action"] in ("timeline", "look")]


async def shot(page: Page, name: str) -> None:
    assert page.viewport_size is not None
    assert await page.evaluate("document.documentElement.scrollWidth") <= page.viewport_size["width"], name
    if SHOTS.name:
        await page.screenshot(path=SHOTS / f"cameras-{name}.png")
    assert await violations(page, name) == []


@pytest.mark.parametrize(("language", "size"), [("fi-FI", "phone"), ("en-GB", "wide")])
async def test_camera_is_added_at_the_present_moment_and_removed_again(
    office_desk: OfficeDesk, footage: Footage, language: str, size: str
) -> None:
    client = await exporter(office_desk.office, NewGrant(role="exporter", site_id=NORTH))
    page = await opened(office_desk, client, footage, language, **SIZES[size])
    assert not await page.is_visible(".tile .leave")  # one stays
    before = await page.get_attribute("#player", "data-time-ms")
    assert await recorded(office_desk, CORRIDOR) == []
    await page.click("#cameras")
    boxes = page.locator("#cameras-list label")
    await boxes.nth(1).wait_for()
    assert [each.strip() for each in await boxes.all_inner_texts()] == [
        "Corridor",
        "Lobby",
    ]  # and none of the other site
    assert await page.is_disabled("#cameras-list label:has-text('Lobby') input")
    await page.check("#cameras-list label:has-text('Corridor') input")
    await reach(page, "paused", "paused")
    assert await recorded(office_desk, CORRIDOR) == ["timeline", "look"]  # on record, then shown
    assert await recorded(office_desk, LOBBY) == ["timeline", "look"]  # no more than before
    await shot(page, f"dialog-{language[:2]}-{size}")
    await page.click("#cameras-close")
    assert await page.get_attribute("#player", "data-time-ms") == before
    await shot(page, f"two-{language[:2]}-{size}")
    await page.reload()
    await reach(page, "paused", "paused")
    await page.click(f".tile[data-camera='{LOBBY}'] .leave")
    await reach(page, "paused")
    assert str(CORRIDOR) in page.url and str(LOBBY) not in page.url
    assert not await page.is_visible(".tile .leave")
    await page.context.close()


async def test_cameras_are_chosen_by_keys_alone(office_desk: OfficeDesk, footage: Footage) -> None:
    client = await exporter(office_desk.office)
    page = await opened(office_desk, client, footage, "en-GB", **SIZES["wide"])
    await page.keyboard.press("c")
    await page.wait_for_selector("#cameras-list input:enabled")
    assert await page.evaluate("document.activeElement.value") == str(CORRIDOR)
    await page.keyboard.press("Space")
    await reach(page, "paused", "paused")
    await page.keyboard.press("Escape")
    await page.wait_for_selector("#cameras-dialog", state="hidden")
    await page.focus(f".tile[data-camera='{CORRIDOR}'] .leave")
    await page.keyboard.press("Enter")
    await reach(page, "paused")
    assert await page.evaluate("document.activeElement.id") == "cameras"  # the focus is not lost with the button
    await page.context.close()


async def test_camera_whose_right_is_gone_is_not_shown_and_the_others_stay(
    office_desk: OfficeDesk, gym: Gym, footage: Footage
) -> None:
    grants = [NewGrant(role="viewer", camera_id=each) for each in (LOBBY, CORRIDOR)]
    client = await exporter(office_desk.office, *grants, NewGrant(role="admin", camera_id=SOUTH_CAMERA))
    page = await opened(office_desk, client, footage, "en-GB", **SIZES["wide"])
    await page.click("#cameras")
    await page.wait_for_selector("#cameras-list input:enabled")
    await gym.owner.execute("DELETE FROM staff_grant WHERE camera_id = $1", CORRIDOR)
    await page.click("#cameras-list label:has-text('Corridor')")
    await page.wait_for_selector("#cameras-problem:not([hidden])")
    assert not await page.is_checked("#cameras-list label:has-text('Corridor') input")
    await asyncio.sleep(0.3)
    assert await states(page) == ["paused"]
    assert "look" not in await recorded(office_desk, CORRIDOR)
    await page.context.close()

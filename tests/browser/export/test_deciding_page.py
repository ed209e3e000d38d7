"""A second person sees the clip and decides, on a phone in Finnish; the asker cancels and reads why; the history."""

from __future__ import annotations

from typing import Any

from playwright.async_api import Page

from domain.time import NS
from tests.browser.chromium import MARKS
from tests.browser.export.office_desk import OfficeDesk
from tests.browser.steps import states, violations, wait
from tests.browser.test_sign_in_page import SHOTS
from tests.integration.api.conftest import Client
from tests.integration.api.footage import Footage
from tests.integration.api.gym import Gym
from tests.integration.api.test_exports import asked, body, exporter

pytestmark = [*MARKS]
PHONE: dict[str, Any] = {"viewport": {"width": 390, "height": 844}, "is_mobile": True, "has_touch": True}
WIDE: dict[str, Any] = {"viewport": {"width": 1280, "height": 900}}


async def shot(page: Page, name: str) -> None:
    """It fits, axe finds nothing serious, and a person may look at it."""
    assert page.viewport_size is not None
    assert await page.evaluate("document.documentElement.scrollWidth") <= page.viewport_size["width"], name
    if SHOTS.name:
        await page.screenshot(path=SHOTS / f"deciding-{name}.png", full_page=True)
    assert await violations(page, name) == []


async def waiting(page: Page, count: int) -> None:
    async def said() -> bool:
        place = page.locator("#waiting")
        shown = (await place.inner_text()).split() if await place.is_visible() else ["0"]
        return shown[0] == str(count)

    await wait(said, f"{count} wait")


async def seen(page: Page) -> None:
    async def there() -> bool:
        found = await states(page)
        return len(found) == 2 and all(each in ("playing", "paused") for each in found)

    await page.wait_for_url("**/exports/*-*-*")
    await wait(there, "both cameras' clips")


async def looks(desk: OfficeDesk) -> int:
    rows = await desk.office.audit()
    return len([row for row in rows if row["action"] == "look"])


async def ask(client: Client, footage: Footage, count: int) -> None:
    for _ in range(count):
        await asked(client, body(footage))


async def test_second_person_looks_and_decides_on_a_phone_and_both_read_what_became_of_it(
    office_desk: OfficeDesk, gym: Gym, footage: Footage
) -> None:
    desk = office_desk
    client, second = await exporter(desk.office), await exporter(desk.office)
    await gym.event("granted", footage.span.start_ns + 5 * NS, member=gym.aino)
    await gym.event("granted", footage.span.start_ns + 6 * NS, member=gym.onni)
    await gym.owner.execute("UPDATE member SET minor = true WHERE member_id = $1", gym.onni)
    await ask(client, footage, 3)
    asker = await desk.page(client, **WIDE)
    await asker.goto(f"{desk.address}/exports")
    await asker.wait_for_selector("#exports li[data-state=approval] button")
    await waiting(asker, 0)  # never one's own
    phone = await desk.page(second, "fi-FI", color_scheme="dark", **PHONE)
    await phone.goto(f"{desk.address}/exports")
    await phone.wait_for_selector("#exports li[data-state=approval]")
    await waiting(phone, 3)
    await shot(phone, "list-fi-390")
    assert await looks(desk) == 0  # nothing opens in a list
    await phone.tap("#exports li:first-child a.button")
    await seen(phone)
    assert await looks(desk) == 2
    said = await phone.inner_text("#asked")
    assert "a test" in said and "Staff-" in said
    members = await phone.locator("#members li").all_inner_texts()
    assert ["Onni Järvi <b>" in members[0], "Aino" in members[1]] == [True, True]
    assert ["alaikäinen" in each.lower() for each in members] == [True, False]
    assert await phone.is_visible("#minor")
    # Both buttons are on the screen, below the pictures, before anything is scrolled.
    for button in ("#approve", "#refuse"):
        box = await phone.locator(button).bounding_box()
        assert box is not None and box["y"] + box["height"] <= 844 and box["height"] >= 44
    await shot(phone, "clip-fi-390")
    await phone.tap("#approve")
    await phone.wait_for_selector("#decision", state="hidden")
    assert "Hyväksytty" in await phone.inner_text("#toast")
    await waiting(phone, 2)
    assert await phone.locator("#tiles .tile").count() == 0  # what was decided is no longer shown
    await shot(phone, "approved-fi-390")
    await refused(phone, desk)
    await read_by_the_asker(asker, desk)
    await phone.context.close()
    await asker.context.close()


async def refused(phone: Page, desk: OfficeDesk) -> None:
    """The next one, with a reason, which may not be missing."""
    await phone.goto(f"{desk.address}/exports")
    await phone.tap("#exports li[data-state=approval] a.button")
    await seen(phone)
    await phone.tap("#refuse")
    await phone.tap("#refusal button.primary")
    await phone.wait_for_selector("#refusal-problem:not([hidden])")
    await phone.fill("#refusal-reason", "Liian pitkä <b>väli</b>")
    await shot(phone, "refuse-fi-390")
    await phone.tap("#refusal button.primary")
    await phone.wait_for_selector("#decision", state="hidden")
    await waiting(phone, 1)


async def read_by_the_asker(asker: Page, desk: OfficeDesk) -> None:
    await asker.reload()
    await asker.wait_for_selector("#exports li[data-state=refused]")
    assert "Liian pitkä <b>väli</b>" in await asker.inner_text("#exports li[data-state=refused]")
    await asker.click("#exports li[data-state=approval] button")
    await asker.wait_for_selector("#exports li[data-state=cancelled]")
    await asker.wait_for_selector("#steps li[data-step=cancelled]")
    steps = [await each.get_attribute("data-step") for each in await asker.locator("#steps li").all()]
    assert sorted(filter(None, steps)) == ["approved", "asked", "asked", "asked", "cancelled", "refused"]
    await shot(asker, "history-en-1280")
    await asker.click("#exports li[data-state=refused] a")
    await asker.wait_for_selector("#steps li[data-step=refused]")
    assert not await asker.is_visible("#stage")  # the asker sees how it stands; the clip is in the player
    await shot(asker, "refused-en-1280")


async def test_preview_plays_from_the_start_and_no_further_than_the_end(
    office_desk: OfficeDesk, footage: Footage
) -> None:
    desk = office_desk
    client, second = await exporter(desk.office), await exporter(desk.office)
    await ask(client, footage, 1)
    page = await desk.page(second, reduced_motion="reduce", **WIDE)
    await page.goto(f"{desk.address}/exports")
    await page.click("#exports li[data-state=approval] a.button")
    await seen(page)
    await shot(page, "clip-en-1280")
    shown = page.locator("#player")
    start_ms, end_ms = (footage.span.start_ns + NS) / 1e6, (footage.span.end_ns - 3 * NS) / 1e6

    async def at(ms: float) -> bool:
        return abs(int(await shown.get_attribute("data-time-ms") or 0) - ms) < 2

    await wait(lambda: at(start_ms), "the start")
    for key, ms in (("ArrowRight", end_ms - 1), ("ArrowLeft", start_ms)):
        for _ in range(3):
            await page.keyboard.press(key)
        await wait(lambda: at(ms), f"as far as {key} goes")  # noqa: B023 - asked at once
    await page.keyboard.press("+")
    await page.keyboard.press("+")
    await page.keyboard.press("k")

    async def ended() -> bool:
        return await at(end_ms - 1) and await shown.get_attribute("data-playing") == ""

    await wait(ended, "played to the end, and stopped there")
    await page.keyboard.press("k")

    async def anew() -> bool:
        return await shown.get_attribute("data-playing") == "yes" and not await at(end_ms - 1)

    await wait(anew, "plays from the start again")
    await page.context.close()


async def test_history_comes_page_after_page(office_desk: OfficeDesk, footage: Footage) -> None:
    desk = office_desk
    client = await exporter(desk.office)
    await ask(client, footage, 23)
    page = await desk.page(client, "fi-FI", **WIDE)
    await page.goto(f"{desk.address}/exports")
    await page.wait_for_selector("#older:not([hidden])")
    assert await page.locator("#steps li").count() == 20
    await page.click("#older")
    await page.wait_for_selector("#older", state="hidden")
    assert await page.locator("#steps li").count() == 23
    await page.context.close()

"""A member on a phone, in Chromium, with a mail server that is not ours: from the address to the own data and out."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from playwright.async_api import Browser, Page

from runtime.database import connect
from storage.register import Field, Source, Way, give_consent, keep
from tests.browser.chromium import MARKS, chromium
from tests.browser.steps import SCHEMES, violations
from tests.browser.test_sign_in_page import SHOTS, open_page
from tests.conftest import Database
from tests.integration.api.gym import open_gym
from tests.integration.api.members.club import AINO, NEWSLETTER, ONNI, codes_of, settings_of
from tests.integration.api.test_role import serving, settings_for
from tests.support.alarms.mailbox import Mailbox

pytestmark = [*MARKS]


@asynccontextmanager
async def club(database: Database, directory: Path) -> AsyncIterator[tuple[str, Mailbox, Browser]]:
    """The address of the role that serves, with two members who have an address of e-mail."""
    owner, box = await connect(database.owner), Mailbox()
    gym = await open_gym(owner, now_ns := time.time_ns())
    for member_id, email in ((gym.aino, AINO), (gym.onni, ONNI)):
        values = {Field.EMAIL: email, Field.BIRTH_DATE: "1990-05-05", Field.OFFERS_SMS: "yes"}
        await keep(owner, member_id, values, source=Source.IMPORT, staff_id=None, now_ns=now_ns)
    await give_consent(owner, gym.aino, "Vanha paperilomake", Way.PAPER, staff_id=None, now_ns=now_ns)
    await owner.close()
    box.open()
    settings = settings_for(database.serve, directory, members=settings_of(box.port))
    async with serving(settings) as status, chromium() as browser:
        yield status["address"], box, browser
    box.close()


async def looks_well(page: Page, name: str) -> None:
    """No wider than its window, nothing that axe finds serious, in the light and in the dark."""
    assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth"), name
    for scheme in SCHEMES:
        await page.emulate_media(color_scheme=scheme)
        if SHOTS.name:
            await page.screenshot(path=SHOTS / f"me-{name}-{scheme}.png", full_page=True)
    assert await violations(page, name) == []
    await page.emulate_media(color_scheme="light")


async def sign_in(page: Page, address: str, box: Mailbox, email: str, shots: str = "") -> None:
    await page.goto(f"{address}/me")
    await page.wait_for_selector("#ask button:enabled")
    if shots:
        await looks_well(page, f"{shots}-ask")
    sent = len(box.mails)
    await page.fill("#email", email)
    await page.keyboard.press("Enter")
    await page.wait_for_selector("#enter:not([hidden])")
    (code,) = codes_of((await asyncio.to_thread(box.wait_for, sent + 1))[-1].get_content())
    await page.reload()  # the telephone had another program in front meanwhile
    await page.wait_for_selector("#enter:not([hidden]) button:enabled")
    await page.fill("#code", "12345678" if code != "12345678" else "87654321")
    await page.keyboard.press("Enter")
    await page.wait_for_selector("#problem:not([hidden])")
    if shots:
        await looks_well(page, f"{shots}-code")
    await page.fill("#code", f"{code[:4]} {code[4:]}")
    await page.keyboard.press("Enter")
    await page.wait_for_selector("#own:not([hidden])")


@pytest.mark.parametrize(("language", "width"), [("fi-FI", 390), pytest.param("en-GB", 1280, marks=pytest.mark.long)])
async def test_member_signs_in_corrects_withdraws_and_sees(
    database: Database, tmp_path: Path, language: str, width: int
) -> None:
    shots = f"{language[:2]}-{width}"
    async with club(database, tmp_path) as (address, box, browser):
        page, complaints = await open_page(browser, language, viewport={"width": width, "height": 844})
        await sign_in(page, address, box, AINO, shots)
        assert re.search("Koodisi|code", box.mails[0].get_content())
        await page.fill("#field-phone", "040 123 4567")
        await page.fill("#field-address", "Kotikatu 1\n33100 Tampere")
        await page.select_option("#field-offers_sms", "no")
        await page.click("#save button")
        await page.wait_for_selector("#toast.shown")
        assert await page.input_value("#field-phone") == "0401234567"
        page.on("dialog", lambda dialog: dialog.accept())
        await page.click(f"#offered li:has-text('{NEWSLETTER}') button")
        mine = "Näillä sivuilla" if language == "fi-FI" else "On these pages"
        await page.wait_for_selector(f"#consents li:has-text('{NEWSLETTER}'):has-text('{mine}')")
        await page.click("#consents li:has-text('paperilomake') button")
        await page.wait_for_selector("#consents li:has-text('paperilomake'):not(:has(button))")
        await page.click("#history summary")
        await page.wait_for_selector("#versions li:has-text('0401234567')")
        await looks_well(page, f"{shots}-card")
        await change_email(page, box, "aino.uusi@example.org")
        await page.click("nav a[href='/me/visits']")
        await page.wait_for_selector("#visits li:has-text('Front door')")
        await looks_well(page, f"{shots}-visits")
        await page.click("nav a[href='/me/looks']")
        await page.wait_for_selector("#none:not([hidden])")
        await looks_well(page, f"{shots}-looks")
        await page.click("nav a[href='/me/requests']")
        await page.fill("#details", "Kaikki, kiitos.")
        await page.click("#ask [type=submit]")
        await page.wait_for_selector("#list li[data-kind=access]:has-text('Kaikki, kiitos.')")
        await looks_well(page, f"{shots}-requests")
        await page.click("#sign-out")
        await page.wait_for_url("**/me/sign-in")
        await page.goto(f"{address}/me/visits")
        assert page.url.endswith("/me/sign-in")
        assert complaints == []


async def change_email(page: Page, box: Mailbox, email: str) -> None:
    sent = len(box.mails)
    await page.fill("#email", email)
    await page.keyboard.press("Enter")
    await page.wait_for_selector("#confirm-form:not([hidden])")
    (code,) = codes_of((await asyncio.to_thread(box.wait_for, sent + 1))[-1].get_content())
    await page.fill("#code", code)
    await page.keyboard.press("Enter")
    await page.wait_for_selector(f"#email-now:has-text('{email}')")
    assert (await asyncio.to_thread(box.wait_for, sent + 2))[-1]["To"] == AINO


async def test_pages_say_what_they_are_where_nothing_is_set_up_or_found(database: Database, tmp_path: Path) -> None:
    async with serving(settings_for(database.serve, tmp_path)) as status, chromium() as browser:
        page, complaints = await open_page(browser, "fi-FI", viewport={"width": 390, "height": 844})
        await page.goto(f"{status['address']}/me")
        assert await page.inner_text("h1") == "Jäsenillä ei ole sivuja"
        await looks_well(page, "off")
        assert complaints == []

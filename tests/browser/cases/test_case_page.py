"""A case in Debian's Chromium: opened, footage kept, a note, its end by two people, in two browsers."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

import pytest
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Browser, Page
from pyotp import TOTP

from runtime.database import connect
from tests.browser.chromium import MARKS, chromium
from tests.browser.steps import prints
from tests.browser.test_sign_in_page import SHOTS, fill, hire, open_page
from tests.conftest import Database
from tests.integration.api.conftest import PASSWORD
from tests.integration.api.gym import open_gym
from tests.integration.api.test_role import serving, settings_for
from tests.support.footage.custodian import custodian, custodian_settings

pytestmark = [*MARKS]


async def desk(browser: Browser, address: str, name: str, secret: str, language: str, width: int) -> Page:
    page, _ = await open_page(browser, language, viewport={"width": width, "height": 844})
    await page.goto(f"{address}/cases")
    await page.wait_for_selector("#sign-in button:enabled")
    await fill(page, name, PASSWORD, TOTP(secret).now())
    await page.wait_for_selector("#purpose button:enabled")
    await page.check("input[value=incident]")
    await page.fill("#reason", "a test of the pages")
    await page.click("#purpose button[type=submit]")
    await page.wait_for_selector("#cases + dialog", state="attached")
    return page


async def shot(page: Page, name: str) -> None:
    assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    found = await Axe().run(page)
    assert [each["id"] for each in found.response["violations"] if each["impact"] in ("serious", "critical")] == []
    if SHOTS.name:
        await page.screenshot(path=SHOTS / f"case-{name}.png", full_page=True)


@pytest.mark.slow
async def test_case_from_opening_to_its_end_by_two_people(database: Database, tmp_path: Path) -> None:
    settings = settings_for(database.serve, tmp_path)
    staff = {name: await hire(database, settings.secret_directory, "exporter", name=name) for name in ("anna", "berit")}
    owner = await connect(database.owner)
    await open_gym(owner, time.time_ns())
    await owner.close()
    async with (
        custodian(custodian_settings(database.custodian, tmp_path)),
        serving(settings) as status,
        chromium() as browser,
    ):
        address = status["address"]
        anna = await desk(browser, address, "anna", staff["anna"].totp_secret, "en-GB", 1366)
        await anna.wait_for_selector("#none:not([hidden])")
        await anna.click("#add")
        await anna.fill("#title", "A fall in the lobby")
        await anna.fill("#reason", "The insurer asks for it.")
        await anna.click("#case button[type=submit]")
        await anna.wait_for_selector("#case:not([hidden]) h1")
        assert (await anna.inner_text("h1")).endswith("-001 A fall in the lobby")
        await anna.click("#keep summary")
        await anna.check("#hold-cameras label:has-text('Lobby') input")
        await anna.click("#hold-form button[type=submit]")
        await anna.wait_for_selector("#holds li:has-text('Lobby')")
        await anna.fill("#note", "Called <b>Aino</b>.")
        await anna.click("#note-form button[type=submit]")
        await anna.wait_for_selector("#entries li")
        assert "Called <b>Aino</b>." in await anna.inner_text("#entries")
        await shot(anna, "open-1366")
        await prints(anna, str(SHOTS / "case.pdf") if SHOTS.name else "")
        await anna.click("#actions button")
        await anna.wait_for_selector("#state:has-text('End asked for')")
        assert await anna.locator("#actions button").all_inner_texts() == ["Keep it open"]

        berit = await desk(browser, address, "berit", staff["berit"].totp_secret, "fi-FI", 390)
        await berit.wait_for_selector("#cases li:has-text('anna'), #cases li:has-text('Anna')")
        await shot(berit, "list-390")
        await berit.click("#cases li a")
        await berit.wait_for_selector("#actions button.primary")
        await shot(berit, "end-390")
        berit.on("dialog", lambda dialog: asyncio.ensure_future(dialog.accept()))
        await berit.click("#actions button.primary")
        await berit.wait_for_selector("#state:has-text('Päättynyt')")
        assert await berit.locator("#actions button").count() == 0
        assert await berit.is_hidden("#keep")
        await anna.reload()
        await anna.wait_for_selector("#state:has-text('Ended')")

"""Early erasure in Debian's Chromium: ordered by one person, approved by another, in two browsers."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Browser, Page
from pyotp import TOTP

from runtime.database import connect
from tests.browser.chromium import MARKS, chromium
from tests.browser.test_sign_in_page import SHOTS, fill, hire, open_page
from tests.conftest import Database
from tests.integration.api.conftest import PASSWORD
from tests.integration.api.gym import open_gym
from tests.integration.api.test_role import serving, settings_for
from tests.support.footage.custodian import custodian, custodian_settings

pytestmark = [*MARKS]


async def desk(browser: Browser, address: str, name: str, secret: str, language: str, width: int) -> Page:
    page, _ = await open_page(browser, language, viewport={"width": width, "height": 844})
    await page.goto(f"{address}/erasures")
    await page.wait_for_selector("#sign-in button:enabled")
    await fill(page, name, PASSWORD, TOTP(secret).now())
    await page.wait_for_selector("#purpose button:enabled")
    await page.check("input[value=member_request]")
    await page.fill("#reason", "a member asks")
    await page.click("#purpose button[type=submit]")
    await page.wait_for_selector("#erasures", state="attached")
    return page


async def shot(page: Page, name: str) -> None:
    assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    found = await Axe().run(page)
    assert [each["id"] for each in found.response["violations"] if each["impact"] in ("serious", "critical")] == []
    if SHOTS.name:
        await page.screenshot(path=SHOTS / f"erasure-{name}.png", full_page=True)


@pytest.mark.slow
async def test_erasure_is_ordered_by_one_and_approved_by_another(database: Database, tmp_path: Path) -> None:
    settings = settings_for(database.serve, tmp_path)
    staff = {name: await hire(database, settings.secret_directory, "admin", name=name) for name in ("anna", "berit")}
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
        await anna.fill("#order #reason", "Asked under <b>GDPR 17</b>.")
        await anna.check("#order-cameras label:has-text('Lobby') input")
        await anna.click("#order button[type=submit]")
        await anna.wait_for_selector("#erasures li[data-state=asked]")
        assert "Asked under <b>GDPR 17</b>." in await anna.inner_text("#erasures")
        assert await anna.locator("#erasures button").all_inner_texts() == ["Take it back"]
        await shot(anna, "asked-1366")
        berit = await desk(browser, address, "berit", staff["berit"].totp_secret, "fi-FI", 390)
        await berit.wait_for_selector("#erasures li[data-state=asked]")
        await shot(berit, "waiting-390")
        berit.on("dialog", lambda dialog: dialog.accept())
        await berit.click("#erasures button:has-text('Hyväksy')")
        await berit.wait_for_selector("#erasures li[data-state=approved], #erasures li[data-state=done]")
        await anna.reload()
        await anna.wait_for_selector("#erasures li:has-text('Approved by')")
        assert await anna.locator("#erasures button").count() == 0
        await shot(anna, "approved-1366")

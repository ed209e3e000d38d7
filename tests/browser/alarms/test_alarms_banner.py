"""The banner in Debian's Chromium: it shows what is raised, for how long, by keyboard too, and goes with its cause."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Browser, Page
from pyotp import TOTP

from domain.time import NS
from runtime.status import StatusFile
from tests.browser.chromium import MARKS, chromium
from tests.browser.test_sign_in_page import fill, hire, open_page
from tests.conftest import Database
from tests.integration.api.conftest import PASSWORD
from tests.integration.api.test_role import serving, settings_for

SHOTS = Path(os.environ.get("TALLENNE_SCREENSHOTS", ""))
pytestmark = [*MARKS]


@pytest.fixture
async def browser() -> AsyncIterator[Browser]:
    async with chromium() as made:
        yield made


def condition(kind: str, what: str, minutes: int, *, urgent: bool = False) -> dict[str, Any]:
    since_ns = time.time_ns() - minutes * 60 * NS
    return {"kind": kind, "what": what, "remedy": "Check its power.", "since_ns": since_ns, "urgent": urgent}


def raised() -> list[dict[str, Any]]:
    return [
        condition("store", "The object store does not answer.", 3, urgent=True),
        condition("camera", "Camera Hall cannot be reached.", 12),
        condition("camera", "Camera Aula cannot be reached.", 11),
    ]


async def looked(page: Page) -> None:
    """Have the page ask again now, instead of in a quarter of a minute."""
    async with page.expect_response("**/v1/alarms"):
        await page.clock.fast_forward(16_000)


@pytest.mark.parametrize(
    ("role", "width", "language", "said"),
    [
        ("admin", 1366, "en-GB", "do not record: 2"),
        ("admin", 390, "fi-FI", "eivät tallenna: 2"),
        ("auditor", 390, "en-GB", "do not record: 2"),
    ],
)
async def test_banner(
    database: Database, tmp_path: Path, browser: Browser, language: str, said: str, width: int, role: str
) -> None:
    settings = settings_for(database.serve, tmp_path)
    staff = await hire(database, settings.secret_directory, role)
    notify = StatusFile(settings.run_directory, "notify", period_s=600)
    notify.write("ready", raised=[])
    async with serving(settings) as status:
        page, complaints = await open_page(browser, language, viewport={"width": width, "height": 768})
        await page.clock.install()
        await page.goto(f"{status['address']}/audit")
        await page.wait_for_selector("#sign-in button:enabled")
        await fill(page, "tester", PASSWORD, TOTP(staff.totp_secret).now())
        async with page.expect_response("**/v1/alarms"):
            await page.wait_for_url("**/audit")
        assert not await page.is_visible("#alarms")
        notify.write("ready", raised=raised())
        await looked(page)
        await page.wait_for_selector("#alarms:not([hidden])")
        text = await page.inner_text("#alarms")
        assert said in text and "12 min" in text and "3 min" in text
        assert said in (await page.text_content("#alarms-said") or "")
        assert await page.evaluate("document.documentElement.scrollWidth") <= width
        assert await page.get_attribute("#alarms", "class") == "alarms urgent"
        assert ("Hall" in text, await page.locator("#alarms summary").count()) == (False, int(role == "admin"))
        if role == "admin":
            await page.focus("#alarms summary")
            await page.keyboard.press("Enter")
            await page.wait_for_selector("#alarms details[open]")
            assert "Camera Hall cannot be reached. Check its power." in await page.inner_text("#alarms")
            await looked(page)  # it stays open, and keeps the focus, when the page asks again
            assert await page.evaluate("document.activeElement.closest('details').open")
        if SHOTS.name:
            await page.screenshot(path=SHOTS / f"alarms-{role}-{language}-{width}.png")
        found = await Axe().run(page)
        assert found.violations_count == 0, found.generate_report()
        notify.write("ready", raised=[])
        await looked(page)
        await asyncio.wait_for(page.wait_for_selector("#alarms", state="hidden"), 10)
        notify.remove()
        await looked(page)
        await page.wait_for_selector("#alarms.urgent:not([hidden])")
        assert complaints == []

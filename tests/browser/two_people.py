"""What one person asks for and another decides: two people of the staff over a made-up gym, each with a browser."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from playwright.async_api import Browser, Page
from pyotp import TOTP

from api.credentials.accounts import CreatedStaff
from runtime.database import connect
from tests.browser.chromium import chromium
from tests.browser.steps import violations
from tests.browser.test_sign_in_page import SHOTS, fill, hire, open_page
from tests.conftest import Database
from tests.integration.api.conftest import PASSWORD
from tests.integration.api.gym import open_gym
from tests.integration.api.test_role import serving, settings_for
from tests.support.footage.custodian import custodian, custodian_settings

NAMES = ("anna", "berit")


@dataclass(frozen=True, slots=True)
class TwoPeople:
    browser: Browser
    address: str
    staff: dict[str, CreatedStaff]

    async def page(self, name: str, path: str, *, purpose: str, language: str, width: int) -> Page:
        """A browser of this person, signed in, on the page at this path."""
        page, _ = await open_page(self.browser, language, viewport={"width": width, "height": 844})
        await page.goto(f"{self.address}{path}")
        await page.wait_for_selector("#sign-in button:enabled")
        await fill(page, name, PASSWORD, TOTP(self.staff[name].totp_secret).now())
        await page.wait_for_selector("#purpose button:enabled")
        await page.check(f"input[value={purpose}]")
        await page.fill("#reason", "a test of the pages")
        await page.click("#purpose button[type=submit]")
        await page.wait_for_url(f"**{path}")
        return page


@asynccontextmanager
async def two_people(database: Database, directory: Path, grant: str) -> AsyncIterator[TwoPeople]:
    """The API with a custodian, Chromium, and accounts for both of ``NAMES`` with this grant."""
    settings = settings_for(database.serve, directory)
    staff = {name: await hire(database, settings.secret_directory, grant, name=name) for name in NAMES}
    owner = await connect(database.owner)
    await open_gym(owner, time.time_ns())
    await owner.close()
    async with (
        custodian(custodian_settings(database.custodian, directory)),
        serving(settings) as status,
        chromium() as browser,
    ):
        yield TwoPeople(browser, status["address"], staff)


async def fits(page: Page, name: str = "", *, full_page: bool = True) -> None:
    """The page is no wider than its window, and axe finds nothing serious. A picture of it where they are wanted."""
    assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert await violations(page, name) == []
    if name and SHOTS.name:
        await page.screenshot(path=SHOTS / f"{name}.png", full_page=full_page)

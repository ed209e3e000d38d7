"""A person at the pages, over an API with a gym in it but no recorder."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Page
from pyotp import TOTP

from runtime.database import connect
from tests.browser.chromium import chromium
from tests.browser.test_sign_in_page import fill, hire, open_page
from tests.conftest import Database
from tests.integration.api.conftest import PASSWORD
from tests.integration.api.gym import Gym, open_gym
from tests.integration.api.test_role import serving, settings_for


@dataclass(kw_only=True)
class Counter:
    """A person signed in, with a purpose, in front of a page."""

    page: Page
    address: str
    gym: Gym
    complaints: list[str]

    async def go(self, path: str, ready: str) -> None:
        await self.page.goto(f"{self.address}{path}")
        await self.page.wait_for_selector(ready)

    async def find(self, text: str) -> str:
        """What the page says it understood, once it has an answer."""
        await self.page.fill("#query", text)
        async with self.page.expect_response("**/v1/find?*"):
            await self.page.keyboard.press("Enter")
        await self.page.wait_for_selector("#results .hit, #results .empty")
        return await self.page.inner_text("#understood")

    async def press_until(self, key: str, there: Callable[[], Awaitable[bool]]) -> None:
        """A key again and again, as people do who look for something."""

        async def pressed() -> bool:
            await self.page.keyboard.press(key)
            await asyncio.sleep(0.15)
            return await there()

        await wait(pressed, f"there by {key}")

    async def hits(self) -> list[str]:
        found: list[str] = await self.page.evaluate(
            "[...document.querySelectorAll('.hit')].map((hit) => hit.getAttribute('href'))"
        )
        return found


@pytest.fixture
async def counter(database: Database, tmp_path: Path) -> AsyncIterator[Counter]:
    async with at_the_counter(database, tmp_path) as made:
        yield made


@asynccontextmanager
async def at_the_counter(database: Database, tmp_path: Path, **more: Any) -> AsyncIterator[Counter]:
    """``more``: settings of the role `serve`."""
    settings = settings_for(database.serve, tmp_path, **more)
    staff = await hire(database, settings.secret_directory, "viewer", "exporter")
    owner = await connect(database.owner)
    async with serving(settings) as status, chromium() as browser:
        gym = await open_gym(owner, time.time_ns())
        page, complaints = await open_page(browser, "en-GB", reduced_motion="reduce")
        await page.goto(f"{status['address']}/find")
        await page.wait_for_selector("#sign-in button:enabled")
        await fill(page, "tester", PASSWORD, TOTP(staff.totp_secret).now())
        made = Counter(page=page, address=status["address"], gym=gym, complaints=complaints)
        await state_purpose(page, "a test of the pages")
        yield made
        assert complaints == []
    await owner.close()


async def wait_for(found: list[Any], count: int) -> None:
    async def there() -> bool:
        return len(found) >= count

    await wait(there, f"{count} of them")


async def state_purpose(page: Page, reason: str) -> None:
    await page.wait_for_selector("#purpose button:enabled")
    await page.check("input[value=incident]")
    await page.fill("#reason", reason)
    await page.click("#purpose button[type=submit]")
    await page.wait_for_selector("#find button:enabled")


async def wait(look: Callable[[], Awaitable[Any]], what: str) -> None:
    deadline = time.monotonic() + 20
    while not await look():
        assert time.monotonic() < deadline, what
        await asyncio.sleep(0.05)

"""Debian's Chromium at the sign-in page, in both languages: it shows, refuses, lets in; nothing breaks the CSP."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pyotp
import pytest
from playwright.async_api import Browser, Page

from api.credentials.accounts import CreatedStaff, create_staff
from runtime.database import connect
from tests.browser.chromium import MARKS, chromium
from tests.conftest import Database
from tests.integration.api.conftest import PASSWORD
from tests.integration.api.test_role import serving, settings_for

SHOTS = Path(os.environ.get("TALLENNE_SCREENSHOTS", ""))
pytestmark = [*MARKS]


@pytest.fixture
async def browser() -> AsyncIterator[Browser]:
    async with chromium() as made:
        yield made


async def hire(database: Database, secret_directory: Path, *grants: str, name: str = "tester") -> CreatedStaff:
    owner = await connect(database.owner)
    try:
        return await create_staff(
            owner,
            user_name=name,
            display_name=name.title(),
            password=PASSWORD,
            grants=grants or ("viewer", "auditor"),
            secret_directory=secret_directory,
        )
    finally:
        await owner.close()


async def open_page(browser: Browser, language: str, **more: Any) -> tuple[Page, list[str]]:
    context = await browser.new_context(ignore_https_errors=True, locale=language, **more)
    page = await context.new_page()
    complaints: list[str] = []
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("console", lambda said: complaints.append(said.text) if "Content Security" in said.text else None)
    return page, complaints


@pytest.mark.parametrize(("language", "title"), [("fi-FI", "Kirjaudu sisään"), ("en-GB", "Sign in")])
@pytest.mark.parametrize(("width", "height"), [(1280, 800), (390, 844)])
async def test_sign_in_page_shows_refuses_and_lets_in(
    database: Database, tmp_path: Path, browser: Browser, language: str, title: str, width: int, height: int
) -> None:
    settings = settings_for(database.serve, tmp_path)
    staff = await hire(database, settings.secret_directory)
    async with serving(settings) as status:
        page, complaints = await open_page(browser, language, viewport={"width": width, "height": height})
        await page.goto(f"{status['address']}/find")
        await page.wait_for_selector("#sign-in button:enabled")
        assert await page.inner_text("h1") == title
        assert await page.evaluate("document.documentElement.scrollWidth") <= width
        assert await page.evaluate("document.activeElement.id") == "user_name"
        if SHOTS.name:
            await page.screenshot(path=SHOTS / f"sign-in-{language}-{width}.png", full_page=True)
        await fill(page, "tester", "not the password", "000000")
        await page.wait_for_selector("#problem:not([hidden])")
        assert await page.evaluate("document.activeElement.id") == "code"
        await fill(page, "tester", PASSWORD, pyotp.TOTP(staff.totp_secret).now())
        await page.wait_for_selector("#purpose button:enabled")
        assert page.url.endswith("/purpose?next=%2Ffind")
        await page.check("input[value=incident]")
        await page.fill("#reason", "a test of the pages")
        await page.click("#purpose button[type=submit]")
        await page.wait_for_selector("#find button:enabled")
        await page.fill("#query", "06:31")
        await page.keyboard.press("Enter")
        await page.wait_for_selector("#problem:not([hidden]), .empty")
        assert await page.evaluate("document.documentElement.scrollWidth") <= width
        assert page.url == f"{status['address']}/find"
        assert complaints == []


async def fill(page: Page, user_name: str, password: str, code: str) -> None:
    await page.fill("#user_name", user_name)
    await page.fill("#password", password)
    await page.fill("#code", code)
    await page.click("button[type=submit]")


async def test_pages_can_be_installed_and_bring_their_own_letters(
    database: Database, tmp_path: Path, browser: Browser
) -> None:
    """Chromium judges both: which font it drew the letters with, and whether the manifest suffices."""
    async with serving(settings_for(database.serve, tmp_path)) as status:
        page, complaints = await open_page(browser, "fi-FI")
        await page.goto(f"{status['address']}/sign-in")
        await page.evaluate("document.fonts.ready.then(() => true)")
        judge = await page.context.new_cdp_session(page)
        for domain in ("DOM", "CSS", "Page"):
            await judge.send(f"{domain}.enable")
        root = (await judge.send("DOM.getDocument"))["root"]["nodeId"]
        heading = await judge.send("DOM.querySelector", {"nodeId": root, "selector": "h1"})
        drawn = (await judge.send("CSS.getPlatformFontsForNode", {"nodeId": heading["nodeId"]}))["fonts"]
        assert [(font["familyName"].split()[0], font["isCustomFont"]) for font in drawn] == [("Inter", True)]
        manifest = await judge.send("Page.getAppManifest")
        assert manifest["url"].endswith("/static/tallenne.webmanifest") and not manifest["errors"]
        found = (await judge.send("Page.getInstallabilityErrors"))["installabilityErrors"]
        assert {error["errorId"] for error in found} <= {"in-incognito"}  # as every page of this test is
        assert complaints == []

"""A member's request in Debian's Chromium: recorded from a letter, checked, answered with a copy; and an erasure."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from playwright.async_api import Page

from runtime.database import connect
from tests.browser.chromium import MARKS
from tests.browser.two_people import TwoPeople, fits, two_people
from tests.conftest import Database

pytestmark = [*MARKS]


async def card_of_aino(people: TwoPeople, page: Page, database: Database) -> str:
    owner = await connect(database.owner)
    member = await owner.fetchval("SELECT member_id FROM member_identity WHERE number = '1042'")
    await owner.close()
    await page.goto(f"{people.address}/register/{member}")
    await page.wait_for_selector("#card:not([hidden])")
    return str(member)


@pytest.mark.slow
async def test_letter_is_recorded_checked_and_answered_with_a_copy(database: Database, tmp_path: Path) -> None:
    async with two_people(database, tmp_path, "admin") as people:
        anna = await people.page("anna", "/members", purpose="member_request", language="en-GB", width=1366)
        await card_of_aino(people, anna, database)
        await anna.fill("#field-email", "aino@example.org")
        await anna.click("#save button")
        await anna.wait_for_selector("#toast.shown")
        await anna.click("#new-request summary")
        await anna.fill("#request-details", "Everything that you have, please.")
        await anna.click("#request-form button")
        await anna.wait_for_selector("#request:not([hidden]) h1:has-text('Copy of their data')")
        assert await anna.locator("#copy-part").is_hidden()
        await anna.fill("#check-text", "Signed letter, called back on the number in the register")
        await anna.click("#check button")
        await anna.wait_for_selector("#copy-part:not([hidden])")
        await fits(anna, "request-1366")
        request = anna.url.removeprefix(people.address)

        async with anna.expect_download() as waited:
            await anna.click("#copy-json")
        await (await waited.value).save_as(tmp_path / "copy.json")
        copy = json.loads((tmp_path / "copy.json").read_text())
        assert (copy["member"]["name"], copy["register"][0]["value"]) == ("Aino Virtanen", "aino@example.org")

        berit = await people.page("berit", "/requests", purpose="member_request", language="fi-FI", width=390)
        await berit.wait_for_selector("#requests li")
        await fits(berit, "requests-390")
        await berit.goto(f"{people.address}{request}/copy")
        await berit.wait_for_selector("#copy:not([hidden]) section[data-part=passages] tbody tr:nth-child(4)")
        await fits(berit, "copy-390")
        assert "Berit" not in await berit.inner_text("#copy")
        assert "Anna" not in await berit.inner_text("#copy")
        await anna.goto(f"{people.address}{request}/copy")
        await anna.wait_for_selector("#copy:not([hidden]) h2")
        await fits(anna, "copy-1366")
        await anna.go_back()

        await anna.wait_for_selector("#end-part:not([hidden])")
        await anna.click("#end [type=submit]")
        await anna.wait_for_selector("#problem:has-text('Write what the member is told')")
        await anna.fill("#end-text", "Sent by registered letter.")
        await anna.click("#end [type=submit]")
        await anna.wait_for_selector("#due:has-text('answered')")
        assert await anna.locator("#end-part").is_hidden()


@pytest.mark.slow
async def test_person_is_erased_after_the_check(database: Database, tmp_path: Path) -> None:
    async with two_people(database, tmp_path, "admin") as people:
        anna = await people.page("anna", "/members", purpose="member_request", language="fi-FI", width=390)
        member = await card_of_aino(people, anna, database)
        await anna.click("#new-request summary")
        await anna.select_option("#request-kind", "erasure")
        await anna.select_option("#request-channel", "desk")
        await anna.click("#request-form button")
        await anna.wait_for_selector("#request:not([hidden]) h1:has-text('Tietojen poistaminen')")
        assert await anna.locator("#erase-part").is_hidden()
        await anna.fill("#check-text", "Passi")
        await anna.click("#check button")
        await anna.wait_for_selector("#erase-part:not([hidden])")
        await fits(anna, "request-erasure-390")
        anna.on("dialog", lambda dialog: dialog.accept())
        await anna.click("#erase")
        await anna.wait_for_selector("#facts:has-text('Henkilö poistettu')")
        assert "Aino" not in await anna.inner_text("#request")
        await anna.fill("#end-text", "Tietosi on poistettu.")
        await anna.click("#end [type=submit]")
        await anna.wait_for_selector("#due:has-text('vastattu')")
        await anna.goto(f"{people.address}/register/{member}")
        await anna.wait_for_selector("#problem:not([hidden])")

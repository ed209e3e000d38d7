"""The register in Debian's Chromium: a member is added, their card filled in, and the rights show their effect."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.async_api import Page

from tests.browser.chromium import MARKS
from tests.browser.two_people import TwoPeople, fits, two_people
from tests.conftest import Database

pytestmark = [*MARKS]


@pytest.mark.slow
async def test_member_is_added_corrected_and_shown_to_whom_the_rights_let(database: Database, tmp_path: Path) -> None:
    async with two_people(database, tmp_path, "admin") as people:
        anna = await people.page("anna", "/members", purpose="member_request", language="en-GB", width=1366)
        await anna.wait_for_selector("#find button:enabled")
        await anna.click("#add")
        await anna.fill("#new-number", "1042")
        await anna.fill("#new-name", "Uusi Jäsen <i>")
        await anna.click("#new button[type=submit]")
        await anna.wait_for_selector("#new-problem:has-text('number is taken')")
        await anna.fill("#new-number", "3001")
        await anna.click("#new button[type=submit]")
        await anna.wait_for_selector("#card:not([hidden]) h1:has-text('Uusi Jäsen <i>')")
        await anna.fill("#field-email", "nobody")
        await anna.fill("#field-address", "Kotikatu 1\n33100 Tampere")
        await anna.click("#save button")
        await anna.wait_for_selector("#problem:has-text('e-mail address like')")
        await anna.fill("#field-email", "uusi@example.org")
        await anna.fill("#field-birth_date", "2015-05-05")
        await anna.click("#save button")
        await anna.wait_for_selector("#minor:not([hidden])")
        assert await anna.input_value("#field-address") == "Kotikatu 1\n33100 Tampere"
        await anna.fill("#consent-purpose", "Pictures in the newsletter")
        await anna.click("#consent-form button")
        await anna.wait_for_selector("#consents li:has-text('in force')")
        anna.on("dialog", lambda dialog: dialog.accept())
        await anna.click("#consents button")
        await anna.wait_for_selector("#consents li:has-text('Withdrawn')")
        await anna.click("#history summary")
        await anna.wait_for_selector("#versions tr:has-text('uusi@example.org'):has-text('staff, Anna')")
        await fits(anna, "register-1366")
        card = anna.url.removeprefix(people.address)

        berit = await people.page("berit", card, purpose="member_request", language="fi-FI", width=390)
        await berit.wait_for_selector("#card:not([hidden])")
        await berit.click("#history summary")
        await berit.wait_for_selector("#versions tr")
        await fits(berit, "register-390")
        await rights_show_their_effect(people, anna, berit)


async def rights_show_their_effect(people: TwoPeople, anna: Page, berit: Page) -> None:
    """Anna takes the address away from administrators: Berit's card lacks it, and so does what Berit sees."""
    await anna.goto(f"{people.address}/register-rights")
    await anna.wait_for_selector("#rows tr")
    await fits(anna, "register-rights-1366")
    await anna.select_option("select[data-role=admin][data-field=email]", "")
    await anna.click("#rights button[type=submit]")
    await anna.wait_for_selector("#toast.shown")
    await berit.reload()
    await berit.wait_for_selector("#card:not([hidden])")
    assert await berit.locator("#field-email").count() == 0
    assert await berit.locator("#field-phone").count() == 1

    await anna.goto(f"{people.address}/users")
    await anna.click("li[data-user=berit] summary")
    await anna.click("li[data-user=berit] button:has-text('What they see')")
    await anna.wait_for_selector("#sees-facts dd:has-text('Birth date, Phone, Address')")
    assert "E-mail" not in await anna.inner_text("#sees-facts")
    await fits(anna, "sees-1366", full_page=False)


@pytest.mark.slow
async def test_police_receive_what_is_recorded_first(database: Database, tmp_path: Path) -> None:
    async with two_people(database, tmp_path, "admin") as people:
        anna = await people.page("anna", "/members", purpose="authority", language="fi-FI", width=390)
        await anna.fill("#query", "1042")
        await anna.click("#find button")
        await anna.click("#members a:has-text('Rekisteritiedot')")
        await anna.wait_for_selector("#card:not([hidden])")
        await anna.click("#recipients-part summary")
        await anna.wait_for_selector("#no-recipients:not([hidden])")
        await anna.fill("#recipient-name", "Sisä-Suomen poliisilaitos")
        await anna.fill("#recipient-what", "Aulan kamera 6.31–6.33")
        await anna.fill("#recipient-why", "Varkauden tutkinta")
        await anna.click("#recipient-form [type=submit]")
        await anna.wait_for_selector("#problem:has-text('pyynnöllä on numero')")
        await anna.fill("#recipient-reference", "5680/R/1234/26")
        await anna.click("#recipient-form [type=submit]")
        await anna.wait_for_selector("#recipients li:has-text('5680/R/1234/26')")
        assert await anna.input_value("#recipient-what") == ""
        await fits(anna, "recipients-390")


@pytest.mark.slow
async def test_register_is_saved_as_a_file(database: Database, tmp_path: Path) -> None:
    async with two_people(database, tmp_path, "admin") as people:
        anna = await people.page("anna", "/members", purpose="member_request", language="en-GB", width=1366)
        await anna.wait_for_selector("#find button:enabled")
        async with anna.expect_download() as waited:
            await anna.click("#export")
        await (await waited.value).save_as(tmp_path / "register.csv")
        text = (tmp_path / "register.csv").read_text(encoding="utf-8-sig")
        assert text.splitlines()[0].startswith("number,name,minor,birth_date,email")
        assert [line.split(",")[:2] for line in text.splitlines()[1:]] == [
            ["1042", "Aino Virtanen"],
            ["2077", "Onni Järvi <b>"],
        ]

"""A case in Debian's Chromium: opened, footage kept, a note, its end by two people, in two browsers."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from tests.browser.chromium import MARKS
from tests.browser.steps import prints
from tests.browser.test_sign_in_page import SHOTS
from tests.browser.two_people import fits, two_people
from tests.conftest import Database

pytestmark = [*MARKS]


@pytest.mark.slow
async def test_case_from_opening_to_its_end_by_two_people(database: Database, tmp_path: Path) -> None:
    async with two_people(database, tmp_path, "exporter") as people:
        anna = await people.page("anna", "/cases", purpose="incident", language="en-GB", width=1366)
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
        await fits(anna, "case-open-1366")
        await prints(anna, str(SHOTS / "case.pdf") if SHOTS.name else "")
        await anna.click("#actions button")
        await anna.wait_for_selector("#state:has-text('End asked for')")
        assert await anna.locator("#actions button").all_inner_texts() == ["Keep it open"]

        berit = await people.page("berit", "/cases", purpose="incident", language="fi-FI", width=390)
        await berit.wait_for_selector("#cases li:has-text('anna'), #cases li:has-text('Anna')")
        await fits(berit, "case-list-390")
        await berit.click("#cases li a")
        await berit.wait_for_selector("#actions button.primary")
        await fits(berit, "case-end-390")
        berit.on("dialog", lambda dialog: asyncio.ensure_future(dialog.accept()))
        await berit.click("#actions button.primary")
        await berit.wait_for_selector("#state:has-text('Päättynyt')")
        assert await berit.locator("#actions button").count() == 0
        assert await berit.is_hidden("#keep")
        await anna.reload()
        await anna.wait_for_selector("#state:has-text('Ended')")

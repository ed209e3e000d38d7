"""Early erasure in Debian's Chromium: ordered by one person, approved by another, in two browsers."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.browser.chromium import MARKS
from tests.browser.two_people import fits, two_people
from tests.conftest import Database

pytestmark = [*MARKS]


@pytest.mark.slow
async def test_erasure_is_ordered_by_one_and_approved_by_another(database: Database, tmp_path: Path) -> None:
    async with two_people(database, tmp_path, "admin") as people:
        anna = await people.page("anna", "/erasures", purpose="member_request", language="en-GB", width=1366)
        await anna.wait_for_selector("#none:not([hidden])")
        await anna.click("#add")
        await anna.fill("#order #reason", "Asked under <b>GDPR 17</b>.")
        await anna.check("#order-cameras label:has-text('Lobby') input")
        await anna.click("#order button[type=submit]")
        await anna.wait_for_selector("#erasures li[data-state=asked]")
        assert "Asked under <b>GDPR 17</b>." in await anna.inner_text("#erasures")
        assert await anna.locator("#erasures button").all_inner_texts() == ["Take it back"]
        await fits(anna, "erasure-asked-1366")
        berit = await people.page("berit", "/erasures", purpose="member_request", language="fi-FI", width=390)
        await berit.wait_for_selector("#erasures li[data-state=asked]")
        await fits(berit, "erasure-waiting-390")
        berit.on("dialog", lambda dialog: dialog.accept())
        await berit.click("#erasures button:has-text('Hyväksy')")
        await berit.wait_for_selector("#erasures li[data-state=approved], #erasures li[data-state=done]")
        await anna.reload()
        await anna.wait_for_selector("#erasures li:has-text('Approved by')")
        assert await anna.locator("#erasures button").count() == 0
        await fits(anna, "erasure-approved-1366")

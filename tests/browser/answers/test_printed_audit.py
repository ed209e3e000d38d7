"""The audit trail on paper and as a PDF, from the page's own button: all entries, the filters, pages with numbers."""

from __future__ import annotations

import asyncio
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Page, Route

from tests.browser.answers.answers import LONG, ORIGIN, answer_all, entry
from tests.browser.chromium import MARKS, chromium
from tests.browser.test_sign_in_page import SHOTS

pytestmark = [*MARKS, pytest.mark.skipif(shutil.which("pdftotext") is None, reason="poppler-utils is not installed")]
PAGE = 300
ENTRIES = 700
WHY = {"purpose": "incident", "reason": "Äiti kysyi, näkyykö Väinö Åströmin kävely käytävällä"}


def of_page(before: int) -> dict[str, Any]:
    """A sitting of three entries each, down to the first; the middle page holds none that fits."""
    numbers = list(range(before - 1, max(0, before - 1 - PAGE), -1))
    shown = [] if before == ENTRIES + 1 - PAGE else numbers
    return {
        "entries": [
            entry(
                each,
                f"2026-11-30T{each // 60:02}:{each % 60:02}:00Z",
                "look",
                session=1000 + each // 3,
                camera=LONG,
                **WHY,
            )
            for each in shown
        ],
        "names": {},
        "next": numbers[-1] if numbers[-1] > 1 else None,
    }


def text_of(path: Path) -> str:
    done = subprocess.run(["pdftotext", "-layout", path, "-"], capture_output=True, text=True, check=True)
    return done.stdout


async def opened(page: Page) -> list[int]:
    """The page with a person chosen; found: before which entry it asks for more."""
    asked: list[int] = []

    async def answer(route: Route) -> None:
        query = dict(part.split("=") for part in route.request.url.partition("?")[2].split("&"))
        asked.append(int(query.get("before", ENTRIES + 1)))
        await route.fulfill(json=of_page(asked[-1]))

    await answer_all(page, "fi")
    await page.route("**/v1/audit?*", answer)
    await page.add_init_script("window.pressed = 0; window.print = () => { window.pressed += 1; }")
    await page.goto(f"{ORIGIN}/audit")
    await page.wait_for_selector("#actor option[value='staff:7']", state="attached")
    await page.select_option("#actor", "staff:7")
    await page.fill("#from", "2026-11-30T00:00")
    await page.click("#filters button")
    return asked


async def test_all_entries_that_the_filters_leave_are_printed_with_them(tmp_path: Path) -> None:
    async with chromium() as browser:
        page = await browser.new_page(locale="fi-FI", viewport={"width": 1280, "height": 900})
        asked = await opened(page)
        await page.wait_for_selector("#entries tr.sitting")
        await page.click("#print")
        await page.wait_for_selector("#older", state="hidden")
        assert asked[-3:] == [701, 401, 101]
        assert await page.evaluate("window.pressed") == 1
        path = (SHOTS if SHOTS.name else tmp_path) / "audit-printed.pdf"
        await page.pdf(path=path, prefer_css_page_size=True)
    text = await asyncio.to_thread(text_of, path)
    pages = text.split("\f")[:-1]
    assert len(pages) > 3
    for number, one in enumerate(pages, 1):
        assert one.split()[-1] == f"{number}/{len(pages)}"
        assert "Merkintä" in one  # the table's head, on each
    first = " ".join(pages[0].split())
    assert "Kuka: Anna Koskinen · Alkaen: 30.11.2026 0:00:00" in first.replace("00:00:00", "0:00:00")
    assert "400 merkintää, 1–700" in first
    assert {"Väinö", "Åströmin"} <= set(pages[0].split())  # a line may end between them
    assert [word for word in LONG.split() if word not in pages[0]] == []  # whole, however long it is
    text = re.sub(r"\s+", "", text)
    assert all(f"{each}–{each + 2}" in text for each in (3, 96, 402, 600))


async def test_print_from_the_browsers_menu_says_that_older_ones_are_missing() -> None:
    async with chromium() as browser:
        page = await browser.new_page(locale="fi-FI")
        await opened(page)
        await page.wait_for_selector("#entries tr.sitting")
        await page.emulate_media(media="print")
        await page.evaluate("dispatchEvent(new Event('beforeprint'))")
        assert "vanhempia ei ole tulosteessa" in await page.inner_text("#printed-filters")

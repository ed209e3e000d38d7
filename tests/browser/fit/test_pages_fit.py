"""Every page at several sizes: nothing overflows, and axe finds no serious fault."""

from __future__ import annotations

from typing import Any

import pytest

from tests.browser.chromium import MARKS
from tests.browser.demo_desk import Desk
from tests.browser.fit.pages import PAGES, ids, show
from tests.browser.steps import SCHEMES, covered, prints, violations
from tests.browser.test_sign_in_page import SHOTS

pytestmark = [*MARKS, pytest.mark.asyncio(loop_scope="module"), pytest.mark.slow]


SIZES = {"desktop": (1280, 900), "phone": (390, 844)}


async def test_new_colleague_gets_a_square_to_scan(desk: Desk) -> None:
    page = await desk.page()
    await page.goto(f"{desk.address}/users")
    await page.wait_for_selector("#users li")
    await page.click("#add")
    await page.fill("#display_name", "Vuoropäällikkö")
    await page.fill("#user_name", "vuoro")
    await page.fill("#password", "neljä sinistä kissaa")
    await page.click("#user button.primary")
    square = await page.wait_for_selector("#factor svg.qr path")
    assert square is not None
    box = await square.bounding_box()
    assert box is not None
    assert box["width"] > 100
    assert len(await page.query_selector_all("#factor .codes li")) == 10
    if SHOTS.name:
        await page.screenshot(path=SHOTS / "factor.png")
    assert await violations(page, "factor") == []
    await page.click("#factor button.primary")
    await page.wait_for_selector("#factor svg", state="detached")
    await page.wait_for_selector("#users li[data-user=vuoro]")
    await page.context.close()


@pytest.mark.parametrize(
    ("language", "size"),
    [
        ("fi-FI", "phone"),
        ("en-GB", "desktop"),
        pytest.param("en-GB", "phone", marks=pytest.mark.long),
        pytest.param("fi-FI", "desktop", marks=pytest.mark.long),
    ],
)
async def test_every_page_fits_and_axe_finds_nothing_serious(desk: Desk, language: str, size: str) -> None:
    """Each worker has a gym of its own. axe looks in the light and in the dark."""
    width, height = SIZES[size]
    page = await desk.page(language, width, height)
    known = await ids(desk, page)
    serious: list[str] = []
    for name, path, ready in PAGES:
        shown = page
        if name == "sign_in":
            options: Any = {"locale": language, "viewport": page.viewport_size, "ignore_https_errors": True}
            shown = await desk.browser.new_page(**options)
        await show(desk, shown, name, path.format(**known), ready)
        for scheme in SCHEMES:
            await shown.emulate_media(color_scheme=scheme)
            if SHOTS.name:
                shot = SHOTS / f"{name}-{language[:2]}-{size}-{scheme}.png"
                await shown.screenshot(path=shot, full_page=name not in ("audit", "live"))
        assert await shown.evaluate("document.documentElement.scrollWidth") <= width, (name, size)
        serious += await violations(shown, name) + [f"{name}: covered: {each}" for each in await covered(shown)]
        if name == "audit":
            await prints(shown, str(SHOTS / "audit.pdf") if SHOTS.name else "")
        if shown is not page:
            await shown.close()
    await page.context.close()
    assert serious == []


async def test_axe_sees_what_is_broken(desk: Desk) -> None:
    """Positive control: a field without words is found, and grey on grey where it is that in the dark alone."""
    page = await desk.page()
    await page.goto(f"{desk.address}/purpose")
    await page.wait_for_selector("#purpose button:enabled")
    await page.evaluate(
        "(() => { const field = document.createElement('input'); document.getElementById('main').append(field); })()"
    )
    assert any("label" in each for each in await violations(page, "broken"))
    grey = "@media (prefers-color-scheme: dark) { h1 { color: #333; } }"
    await page.evaluate(
        "(rule) => document.styleSheets[0].insertRule(rule, document.styleSheets[0].cssRules.length)", grey
    )
    assert await covered(page) == []
    await page.evaluate("document.querySelector('#main > input').style.cssText = 'position: fixed; inset: 0'")
    assert len(await covered(page)) > 1
    assert [each for each in await violations(page, "grey") if "color-contrast" in each and "dark" in each] != []
    await page.context.close()

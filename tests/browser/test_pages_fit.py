"""Every page at several sizes: nothing overflows, and axe finds no serious fault."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Page

from tests.browser.chromium import MARKS
from tests.browser.demo_desk import Desk
from tests.browser.steps import ask_for_export, prints, reach

pytestmark = [*MARKS, pytest.mark.asyncio(loop_scope="module"), pytest.mark.slow]


SHOTS = os.environ.get("TALLENNE_SCREENSHOTS", "")


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
    if SHOTS:
        await page.screenshot(path=Path(SHOTS) / "factor.png")
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
    width, height = SIZES[size]
    scheme = "dark" if language == "fi-FI" else "light"  # both on both sizes
    page = await desk.page(language, width, height, color_scheme=scheme)
    if not await desk.owner.fetchval("SELECT count(*) FROM footage_export"):
        await ask_for_export(desk, page)  # each worker has a gym of its own
    serious: list[str] = []
    for name, path, ready in pages(desk):
        if name == "sign-in":
            context = await desk.browser.new_context(
                ignore_https_errors=True, locale=language, viewport={"width": width, "height": height}
            )
            shown = await context.new_page()
        else:
            shown = page
        await shown.goto(f"{desk.address}{path}")
        await shown.wait_for_selector(ready)
        if name == "player":
            await reach(shown, "playing")
            await shown.keyboard.press("k")
            await reach(shown, "paused")
        if name == "find":
            await shown.fill("#query", desk.passage["name"])
            await shown.keyboard.press("Enter")
            await shown.wait_for_selector("a.hit")
        if name == "members":
            await shown.fill("#query", desk.passage["number"])
            await shown.keyboard.press("Enter")
            await shown.click("#members button")
            await shown.wait_for_selector("#look-rows tr")
        if name == "users":
            await shown.click("details summary")
        if name == "cameras":
            await shown.click("#sites .buttons button")
            await shown.wait_for_selector(".test-picture img")
        await shown.wait_for_load_state("networkidle")
        if SHOTS:
            shot = Path(SHOTS) / f"{name}-{language[:2]}-{size}.png"
            await shown.screenshot(path=shot, full_page=name not in ("audit",))
        assert await shown.evaluate("document.documentElement.scrollWidth") <= width, (name, size)
        serious += await violations(shown, name)
        if name == "audit":
            await prints(shown, str(Path(SHOTS) / "audit.pdf") if SHOTS else "")
        if shown is not page:
            await shown.context.close()
    await page.context.close()
    assert serious == []


def pages(desk: Desk) -> list[tuple[str, str, str]]:
    """(name, path, what is there when it is ready)"""
    return [
        ("sign-in", "/sign-in", "#sign-in button:enabled"),
        ("purpose", "/purpose", "#purpose button:enabled"),
        ("find", "/find", "#find button:enabled"),
        ("player", f"/visit/{desk.passage['event_id']}", "#player[data-state=ready]"),
        ("exports", "/exports", "#exports li"),
        ("cases", "/cases", "#none:not([hidden])"),
        ("erasures", "/erasures", "#none:not([hidden])"),
        ("cameras", "/cameras", "#sites li"),
        ("members", "/members", "#find button:enabled"),
        ("users", "/users", "#users li"),
        ("quarantine", "/quarantine", "#empty:not([hidden]), #messages tr"),
        ("retention", "/retention", "#cameras tr"),
        ("account", "/account", "#change-password button:enabled"),
        ("audit", "/audit", "#entries tr"),
        ("error", "/nothing", "h1"),
    ]


async def violations(page: Page, name: str) -> list[str]:
    found = await Axe().run(page, options={"resultTypes": ["violations"]})
    return [
        f"{name}: {each['id']}: {each['nodes'][0]['html'][:120]}"
        for each in found.response["violations"]
        if each["impact"] in ("serious", "critical")
    ]


async def test_axe_sees_what_is_broken(desk: Desk) -> None:
    """Positive control: a picture without words and grey on grey are found."""
    page = await desk.page()
    await page.goto(f"{desk.address}/purpose")
    await page.wait_for_selector("#purpose button:enabled")
    await page.evaluate(
        "(() => { const field = document.createElement('input'); document.getElementById('main').append(field); })()"
    )
    assert any("label" in each for each in await violations(page, "broken"))
    await page.context.close()

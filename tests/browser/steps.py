"""Steps that several browser tests share."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Any, Final, Literal

from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Page

from tests.browser.demo_desk import Desk

REASON = "two persons on one card, main door"
SCHEMES: Final[tuple[Literal["light", "dark"], ...]] = ("light", "dark")


async def wait(look: Callable[[], Awaitable[Any]], what: str, seconds: float = 60) -> Any:
    """Asked again and again from here: the pages' policy forbids scripts made of strings."""
    deadline = time.monotonic() + seconds
    while not (found := await look()):
        assert time.monotonic() < deadline, f"{what} after {seconds} s"
        await asyncio.sleep(0.1)
    return found


async def states(page: Page) -> list[str]:
    found: list[str] = await page.evaluate("[...document.querySelectorAll('.tile')].map((tile) => tile.dataset.state)")
    return found


async def reach(page: Page, state: str, seconds: float = 60) -> None:
    """Both cameras in this state."""

    async def there() -> bool:
        return await states(page) == [state] * 2

    await wait(there, f"both cameras {state}", seconds)


async def open_passage(desk: Desk, page: Page) -> None:
    await page.goto(f"{desk.address}/visit/{desk.passage['event_id']}")
    await reach(page, "playing")


async def ask_for_export(desk: Desk, page: Page) -> None:
    await open_passage(desk, page)
    await page.click("#export")
    await page.wait_for_selector("#export-dialog[open]")
    assert len(await page.query_selector_all("#export-cameras input")) == 2
    await page.click("#export-form button.primary")
    await page.wait_for_selector("#export-dialog:not([open])", state="attached")


PAPER_PX = 703  # A4 less its margins


async def prints(page: Page, path: str = "") -> None:
    """On paper the page is dark on white, as wide as the sheet, with nothing to press, and says who printed it."""
    size = page.viewport_size
    assert size is not None
    await page.emulate_media(media="print")
    await page.set_viewport_size({"width": PAPER_PX, "height": 1000})
    found = await page.evaluate(_ON_PAPER)
    assert found["width"] <= PAPER_PX, found
    assert (found["pressed"], found["ground"]) == ([], "rgb(255, 255, 255)"), found
    assert await page.inner_text("#printed span") != ""
    if path:
        await page.pdf(path=path, prefer_css_page_size=True)
    await page.set_viewport_size(size)
    await page.emulate_media(media="screen")


_ON_PAPER = """() => ({
  width: document.documentElement.scrollWidth,
  ground: getComputedStyle(document.documentElement).backgroundColor,
  pressed: [...document.querySelectorAll('button, input, select, nav')]
    .filter((each) => each.checkVisibility()).map((each) => each.outerHTML),
})"""


async def violations(page: Page, name: str) -> list[str]:
    """What axe finds to be serious: all rules as the page is, and the colours in the light and in the dark."""
    rests: Any = await page.evaluate("matchMedia('(prefers-reduced-motion: reduce)').matches")
    await page.emulate_media(reduced_motion="reduce")  # nothing is judged half faded
    found = await _axe(page, name, {"resultTypes": ["violations"]})
    was: Any = "dark" if await page.evaluate("matchMedia('(prefers-color-scheme: dark)').matches") else "light"
    for scheme in SCHEMES:
        if scheme != was:
            await page.emulate_media(color_scheme=scheme)
            found += await _axe(page, f"{name}, {scheme}", {"runOnly": ["color-contrast"]})
    await page.emulate_media(color_scheme=was, reduced_motion="reduce" if rests else "no-preference")
    return found


async def _axe(page: Page, name: str, options: dict[str, Any]) -> list[str]:
    found = await Axe().run(page, options=options)
    return [
        f"{name}: {each['id']}: {each['nodes'][0]['html'][:120]}"
        for each in found.response["violations"]
        if each["impact"] in ("serious", "critical")
    ]


async def covered(page: Page) -> list[str]:
    """Controls that another element lies on, or whose words are cut, at one end or the other."""
    found: list[str] = await page.evaluate(_COVERED)
    return found


_COVERED = """() => {
  const inside = (one, other) => one && (one.contains(other) || other.contains(one));
  const place = document.querySelector('dialog[open]') ?? document;
  const were = [scrollX, scrollY];
  const found = [...place.querySelectorAll('button, select, input:not([type=checkbox], [type=radio]), a.button')]
    .filter((each) => each.checkVisibility({ visibilityProperty: true, opacityProperty: true }))
    .filter((each) => {
      each.scrollIntoView({ block: 'center', inline: 'center' });
      const { left, right, top, bottom } = each.getBoundingClientRect();
      const hit = (x) => document.elementFromPoint(x, (top + bottom) / 2);
      const cut = each.tagName === 'BUTTON' && each.scrollWidth > each.clientWidth + 1;
      return cut || ![left + 4, right - 4].every((x) => inside(hit(x), each));
    })
    .map((each) => each.outerHTML.slice(0, 120));
  scrollTo(...were);
  return found;
}"""

"""The README's screenshots, made from the demo: ``python -m tests.browser.screenshots docs/screenshots``."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from playwright.async_api import Page

from tests.browser.demo_desk import Desk, demo_desk
from tests.browser.steps import REASON, open_passage, reach

_SETTLE_MS = 1500  # thumbnails and fonts


async def make(folder: Path) -> None:
    """Write find.jpg, player.jpg, live.jpg and phone.jpg."""
    async with demo_desk(broken=False) as desk:
        page = await desk.page(height=800)
        await desk.sign_in(page)
        await desk.state_purpose(page, REASON)
        await _find(desk, page)
        await _shot(page, folder / "find.jpg")
        await open_passage(desk, page)
        await _shot(page, folder / "player.jpg")
        await page.goto(f"{desk.address}/live")
        await reach(page, "playing")
        await _shot(page, folder / "live.jpg")
        phone = await desk.page(width=390, height=844, device_scale_factor=2, is_mobile=True, has_touch=True)
        await open_passage(desk, phone)
        await _shot(phone, folder / "phone.jpg")


async def _find(desk: Desk, page: Page) -> None:
    """The pictures of the newest passages may still be on their way: asked again until nearly all are there."""
    await page.goto(f"{desk.address}/")
    await page.fill("#query", "last 30 minutes")
    for _ in range(20):
        await page.click("#find button:enabled")
        await page.wait_for_timeout(_SETTLE_MS)
        if await page.locator("#results li:nth-child(-n + 4) .thumbnail.shown").count() >= 3:
            return


async def _shot(page: Page, path: Path) -> None:
    await page.wait_for_timeout(_SETTLE_MS)
    await page.screenshot(path=path, type="jpeg", quality=72)


if __name__ == "__main__":
    place = Path(sys.argv[1])
    place.mkdir(parents=True, exist_ok=True)
    asyncio.run(make(place))

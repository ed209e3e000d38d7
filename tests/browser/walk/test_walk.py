"""As a person does it: somebody is at the door now, and some presses later the clip of it lies on the disk."""

from __future__ import annotations

import json
import time
import zipfile
from pathlib import Path
from typing import Any, Final

import pytest
import pytest_asyncio
from playwright.async_api import Page

from tests.browser.chromium import MARKS
from tests.browser.demo_desk import Desk
from tests.browser.steps import covered, reach, violations
from tests.browser.test_sign_in_page import SHOTS

pytestmark = [*MARKS, pytest.mark.asyncio(loop_scope="module"), pytest.mark.slow]
SIZES: Final[dict[str, dict[str, Any]]] = {
    "desktop": {"viewport": {"width": 1366, "height": 768}},
    "phone": {"viewport": {"width": 390, "height": 844}, "is_mobile": True, "has_touch": True},
}
AT_WORK_S: Final = 120
"""So long a walk may take, on a machine that does other things too: who is asked by the police does not wait long."""


class Steps:
    """Each step with how long it took; a picture of it where they are wanted, and whether it fits."""

    def __init__(self, name: str) -> None:
        self._name, self._began, self.took_s = name, time.monotonic(), dict[str, float]()

    async def done(self, step: str, page: Page) -> None:
        self.took_s[step] = round(time.monotonic() - self._began, 2)
        await page.wait_for_timeout(300)  # a toast comes and goes slowly
        assert page.viewport_size is not None
        assert await page.evaluate("document.documentElement.scrollWidth") <= page.viewport_size["width"], step
        if SHOTS.name:
            await page.screenshot(path=SHOTS / f"walk-{self._name}-{len(self.took_s)}-{step}.png")
        assert await violations(page, step) + await covered(page) == []
        self._began = time.monotonic()


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def colleague(desk: Desk) -> Any:
    """The cookies of a colleague, signed in as on any day."""
    context = await desk.browser.new_context(ignore_https_errors=True)
    await desk.sign_in(await context.new_page(), colleague=True)
    yield await context.storage_state()
    await context.close()


@pytest.mark.parametrize(
    ("language", "size"),
    [
        ("fi-FI", "phone"),
        pytest.param("en-GB", "desktop", marks=pytest.mark.long),
        pytest.param("en-GB", "phone", marks=pytest.mark.long),
        pytest.param("fi-FI", "desktop", marks=pytest.mark.long),
    ],
)
async def test_from_somebody_at_the_door_to_the_exported_clip(
    desk: Desk, colleague: Any, tmp_path: Path, language: str, size: str
) -> None:
    steps = Steps(f"{language[:2]}-{size}")
    page = await (await desk.context(language, **SIZES[size])).new_page()
    await somebody_is_at_the_door(desk, page, steps)
    await asked_for(desk, page, steps)
    second = await desk.browser.new_context(
        ignore_https_errors=True, locale=language, storage_state=colleague, **SIZES[size]
    )
    await decided(desk, await second.new_page(), steps)
    await second.close()
    await fetched(page, steps, tmp_path)
    print(json.dumps({"walk": f"{language} {size}", **steps.took_s, "all_s": round(sum(steps.took_s.values()), 1)}))
    assert sum(steps.took_s.values()) < AT_WORK_S
    await page.context.close()


async def somebody_is_at_the_door(desk: Desk, page: Page, steps: Steps) -> None:
    """On the wall; a press leads to the recorded moment."""
    await page.goto(f"{desk.address}/live")
    await reach(page, "playing")
    await steps.done("live", page)
    event = page.locator(".tile a.event:visible").first
    await event.wait_for()
    await steps.done("somebody", page)
    await event.click()
    await page.wait_for_url("**/visit/*")
    await page.wait_for_selector("#player[data-state=ready]")
    await steps.done("recorded", page)
    await reach(page, "playing")
    await steps.done("played", page)


async def asked_for(desk: Desk, page: Page, steps: Steps) -> None:
    """The export of what is on the screen."""
    await page.click("#export")
    await page.wait_for_selector("#export-dialog[open]")
    box = await page.locator("#export-form button.primary").bounding_box()
    assert box is not None and page.viewport_size is not None
    assert box["y"] + box["height"] <= page.viewport_size["height"]  # before anything is scrolled
    await steps.done("export", page)
    await page.click("#export-form button.primary")
    await page.wait_for_selector("#export-dialog:not([open])", state="attached")
    await page.wait_for_selector("#toast.shown")
    await steps.done("asked", page)
    await page.goto(f"{desk.address}/exports")
    await page.wait_for_selector("#exports li[data-state=approval]")
    await steps.done("waits", page)


async def decided(desk: Desk, page: Page, steps: Steps) -> None:
    """The colleague sees the clip first, then decides."""
    await page.goto(f"{desk.address}/exports")
    await page.click("#exports li[data-state=approval] a.button")
    seen = ".tile:is([data-state=playing], [data-state=paused])"
    await page.wait_for_selector(f"{seen} + {seen}")
    await steps.done("seen", page)
    brand, leaving = [await page.locator(each).bounding_box() for each in (".brand", "#sign-out")]
    assert brand is not None and leaving is not None
    assert abs(brand["y"] + brand["height"] / 2 - leaving["y"] - leaving["height"] / 2) < 10  # in one row
    await page.click("#approve")
    await page.wait_for_selector("#decision", state="hidden")
    await steps.done("approved", page)


async def fetched(page: Page, steps: Steps, directory: Path) -> None:
    """Onto the asker's disk, whole."""
    await page.wait_for_selector("#exports li[data-state=approved] button")
    await steps.done("may", page)
    async with page.expect_download() as coming:
        await page.click("#exports li[data-state=approved] button")
    await (await coming.value).save_as(directory / "export.zip")
    await page.wait_for_selector("#exports li[data-state=ready]")
    await steps.done("fetched", page)
    with zipfile.ZipFile(directory / "export.zip") as archive:
        assert archive.testzip() is None
        assert len([name for name in archive.namelist() if name.endswith(".mp4")]) == 2

"""The demo gym, started once for a module, with a gap made on purpose, and a desk in front of it: a browser."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import tempfile
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import asyncpg
from playwright.async_api import Browser, BrowserContext, Page

from domain.time import NS, Span
from pipeline.demo.account import demo_account
from pipeline.running import Running
from pipeline.smoke.holding import until
from pipeline.supervise.tell import Tell
from pipeline.up import UpOptions, running
from runtime.database import connect
from tests.browser.chromium import chromium

_GAP_S: Final = 5.0

# A passage of a known adult that both cameras of the door saw, from before it until after it.
_PASSAGE: Final = """
    SELECT e.event_id, e.member_id, e.occurred_ns, m.name, m.number FROM access_event e
    JOIN member_identity m USING (member_id) JOIN member p USING (member_id)
    WHERE e.kind = 'granted' AND p.minor = $1 AND (SELECT count(*) FROM camera c WHERE EXISTS (
        SELECT FROM segment s WHERE s.camera_id = c.camera_id AND s.state = 'live'
        AND s.start_ns <= e.occurred_ns - 6000000000 AND s.end_ns > e.occurred_ns) AND EXISTS (
        SELECT FROM segment s WHERE s.camera_id = c.camera_id AND s.state = 'live'
        AND s.start_ns <= e.occurred_ns + 11000000000 AND s.end_ns > e.occurred_ns + 11000000000)
        AND NOT EXISTS (SELECT FROM gap g WHERE g.camera_id = c.camera_id
        AND g.start_ns < e.occurred_ns + 11000000000 AND g.end_ns > e.occurred_ns - 6000000000)) = 2
    ORDER BY e.occurred_ns LIMIT 1
"""

_HOLES: Final = """
    SELECT end_ns AS start_ns, next_ns AS end_ns FROM (
        SELECT end_ns, lead(start_ns) OVER (PARTITION BY camera_id ORDER BY start_ns) AS next_ns
        FROM segment WHERE state = 'live') AS pair
    WHERE next_ns - end_ns > $1::bigint
"""


@dataclass(kw_only=True)
class Desk:
    """The gym, the browser, and the passage that the tests look at."""

    everything: Running
    owner: asyncpg.Connection
    browser: Browser
    passage: asyncpg.Record
    gap: Span
    signed_in: dict[str, Any] | None = None  # the cookies of the first sign-in: a code counts once
    complaints: list[str] = field(default_factory=list)

    @property
    def address(self) -> str:
        return self.everything.address

    async def context(self, language: str = "en-GB", **more: Any) -> BrowserContext:
        return await self.browser.new_context(
            ignore_https_errors=True, locale=language, storage_state=self.signed_in, **more
        )

    async def page(self, language: str = "en-GB", width: int = 1280, height: int = 900, **more: Any) -> Page:
        """A page of its own; what its scripts complain about is kept."""
        context = await self.context(language, viewport={"width": width, "height": height}, **more)
        page = await context.new_page()
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("console", lambda said: self._heard(said.type, said.text))
        return page

    def _heard(self, kind: str, text: str) -> None:
        if "Content Security" in text or (kind == "error" and "Failed to load resource" not in text):
            self.complaints.append(text)

    async def approve_exports(self) -> None:
        """The second person, in a browser of their own."""
        context = await self.browser.new_context(ignore_https_errors=True, locale="en-GB")
        page = await context.new_page()
        await self.sign_in(page, colleague=True)
        await page.goto(f"{self.address}/exports")
        await page.click("#exports li[data-state=approval] a.button")
        seen = ".tile:is([data-state=playing], [data-state=paused])"
        await page.wait_for_selector(f"{seen} + {seen}")  # the clip first, then the decision
        await page.click("#approve")
        await page.wait_for_selector("#decision", state="hidden")  # no longer theirs to decide
        await context.close()

    async def sign_in(self, page: Page, *, colleague: bool = False) -> None:
        """With the demo's account; the page is then wherever it wanted to go."""
        account = demo_account(self.everything.installation, colleague=colleague)
        await page.goto(f"{self.address}/")
        await page.wait_for_selector("#sign-in button:enabled")
        await page.fill("#user_name", account.user_name)
        await page.fill("#password", account.password)
        await page.fill("#code", account.code())
        await page.keyboard.press("Enter")
        await page.wait_for_url("**/purpose?next=*")

    async def state_purpose(self, page: Page, reason: str) -> None:
        await page.wait_for_selector("#purpose button:enabled")
        await page.check("input[value=access]")
        await page.fill("#reason", reason)
        await page.keyboard.press("Enter")
        await page.wait_for_selector("#find button:enabled")
        self.signed_in = await page.context.storage_state()


@contextlib.asynccontextmanager
async def demo_desk(*, broken: bool = True) -> AsyncIterator[Desk]:
    """Two cameras, a minute of footage with a gap in it, and a browser. ``broken`` False: without the gap."""
    with tempfile.TemporaryDirectory(prefix="tallenne-desk-") as folder:
        async with contextlib.AsyncExitStack() as stack:
            options = UpOptions(config=None, data=Path(folder) / "data", cameras=2)
            everything = await stack.enter_async_context(running(options, Tell(quiet=True)))
            owner = await connect(everything.settings.database("owner"))
            stack.push_async_callback(owner.close)
            await until(lambda: _recorded(owner, 4), "footage")
            gap = Span(0, 0)
            if broken:
                await _break_the_recorder(everything)
                gap = await until(lambda: _gap(owner), "gap with its cause")
            passage = await until(lambda: owner.fetchrow(_PASSAGE, False), "passage that both cameras saw")
            browser = await stack.enter_async_context(chromium())
            yield Desk(everything=everything, owner=owner, browser=browser, passage=passage, gap=gap)


async def _recorded(owner: asyncpg.Connection, least: int) -> bool | None:
    return True if await owner.fetchval("SELECT count(*) FROM segment") >= least else None


async def _break_the_recorder(everything: Running) -> None:
    """Killed as often as it is started again, for some seconds."""
    process = everything.processes["ingest"]
    end = time.monotonic() + _GAP_S
    while time.monotonic() < end:
        if process.pid is not None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(process.pid, signal.SIGKILL)
        await asyncio.sleep(0.3)


async def _gap(owner: asyncpg.Connection) -> Span | None:
    """The moment that both cameras miss, between footage."""
    rows = await owner.fetch(_HOLES, 3 * NS)
    start_ns, end_ns = (
        max((row["start_ns"] for row in rows), default=0),
        min((row["end_ns"] for row in rows), default=0),
    )
    return Span(start_ns, end_ns) if len(rows) == 2 and end_ns > start_ns else None

"""Debian's Chromium, driven by Playwright: where it is, how it is started, what every test in it is marked with."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Final

import pytest
from playwright.async_api import Browser, async_playwright

CHROMIUM: Final = Path("/usr/bin/chromium")
MARKS: Final = (
    pytest.mark.browser,
    pytest.mark.services,
    pytest.mark.skipif(not CHROMIUM.exists(), reason="Debian's Chromium is not installed"),
    # Playwright leaves its own transports to the collector.
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
)


@contextlib.asynccontextmanager
async def chromium() -> AsyncIterator[Browser]:
    """Until the end of the block."""
    async with async_playwright() as playwright:
        made = await playwright.chromium.launch(
            executable_path=str(CHROMIUM), args=["--no-sandbox", "--ignore-certificate-errors"]
        )
        yield made
        await made.close()

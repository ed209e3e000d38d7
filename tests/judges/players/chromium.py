"""Chromium, headless, driven by Playwright."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from tests.browser.chromium import CHROMIUM
from tests.judges.codecs import mime_of
from tests.judges.looks import look_of
from tests.judges.picture import Look
from tests.judges.served import served


def missing() -> str:
    return "" if CHROMIUM.exists() else "chromium is not installed"


def seek_src(clip: Path, times: Sequence[float]) -> list[Look]:
    """``video.src``, paused, ``currentTime``."""
    return _asked(clip, times, "")


def seek_media_source(clip: Path, times: Sequence[float]) -> list[Look]:
    """MediaSource, fed with what the index says holds the time."""
    return _asked(clip, times, mime_of(clip))


def _asked(clip: Path, times: Sequence[float], mime: str) -> list[Look]:
    from playwright.sync_api import sync_playwright

    with served(clip) as address, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=str(CHROMIUM), args=["--no-sandbox"])
        try:
            page = browser.new_page()
            page.goto(address)
            answers = page.evaluate("([times, mime]) => judge('/clip.mp4', times, mime)", [list(times), mime])
        finally:
            browser.close()
    return [look_of(answer) for answer in answers]

"""Looks at what is converted: only where that is asked for and needed, by either way."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from tests.support.cameras import video
from tests.support.live import Browser, until
from tests.unit.live.test_looks import ending, first, rig


@pytest.mark.parametrize("conversions_max", [1, 0])
async def test_h265_is_converted_where_that_is_asked_for_and_said_where_it_may_not(
    tmp_path: Path, conversions_max: int
) -> None:
    film = video.units(video.encoded(4.0, codec="libx265"), codec="hevc")
    async with rig(tmp_path, film=film, conversions_max=conversions_max) as made, Browser() as browser:
        async with made.look(browser.offer, convert=True) as heard:
            if not conversions_max:
                assert await ending(heard) == "conversions"
                return
            assert await first(heard) == {"converted": "h265"}
            async with asyncio.timeout(40):
                answer = (await heard.get())["answer"]
            assert "profile-level-id=42c0" in answer
            await browser.accept(answer)
            await until(lambda: made.looks.present == {"webrtc": 1, "https": 0})
        async with made.look(convert=True) as heard:  # over HTTPS
            assert await first(heard) == {"converted": "h265"}
            async with asyncio.timeout(40):
                assert "avc1.42c0" in (await heard.get())["mime"]


async def test_h264_is_not_converted_whatever_is_asked_for(tmp_path: Path) -> None:
    async with rig(tmp_path, conversions_max=0) as made, made.look(convert=True) as heard:
        assert "avc1" in (await first(heard))["mime"]

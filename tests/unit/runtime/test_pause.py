"""A pause ends by itself or with its event, and a cancellation passes through it."""

from __future__ import annotations

import asyncio

import pytest

from runtime.pause import pause


async def test_pause_lasts_its_time_while_nobody_stops() -> None:
    assert not await pause(asyncio.Event(), 0.01)


async def test_pause_ends_when_stop_is_set() -> None:
    stop = asyncio.Event()
    asyncio.get_running_loop().call_later(0.01, stop.set)
    async with asyncio.timeout(30):
        assert await pause(stop, 3600)


async def test_pause_is_cancelled_like_any_other_await() -> None:
    task = asyncio.create_task(pause(asyncio.Event(), 3600))
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task

"""Recorded pieces through the role's socket: converted by a process of their own, within the limit for all of them."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import time
from collections.abc import AsyncIterator, Sequence
from functools import cache
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from ingest.access_unit import AccessUnit
from live.client import LiveClient
from live.converting import converted, recorded
from live.errors import ConversionBrokenError, ConversionsFullError, LiveAwayError
from live.protocol import Picture, Stream
from tests.support.cameras import video
from tests.support.live import ME, stream_of, until
from tests.unit.live.test_looks import rig


@cache
def film(b_frames: int = 0) -> Sequence[AccessUnit]:
    return video.units(video.encoded(2.0, codec="libx265", b_frames=b_frames), codec="hevc")


async def sent(taken: Sequence[AccessUnit], goes_on: asyncio.Event | None = None) -> AsyncIterator[Stream | Picture]:
    """goes_on: until when the film begins anew again and again."""
    yield stream_of(taken[0].parameters)
    for turn in count():
        for unit in taken:
            at = unit.pts_ticks + turn * 180_000
            yield Picture(data=unit.data, pts_ticks=at, mono_ns=0, key=unit.key)
            if goes_on is not None:
                await asyncio.sleep(0.02)
        if goes_on is None or goes_on.is_set():
            return


async def times(made: AsyncIterator[Stream | Picture], found: list[int] | None = None) -> list[int]:
    found = [] if found is None else found
    async for item in made:
        if isinstance(item, Picture):
            found.append(item.pts_ticks)
    return found


def children() -> set[int]:
    return {int(pid) for pid in Path(f"/proc/self/task/{os.getpid()}/children").read_text().split()}


@contextlib.asynccontextmanager
async def begun(client: LiveClient) -> AsyncIterator[tuple[asyncio.Task[list[int]], asyncio.Event]]:
    """A piece that is being converted, and what ends it."""
    goes_on = asyncio.Event()
    found: list[int] = []
    task = asyncio.create_task(times(client.convert(sent(film(), goes_on)), found))
    await until(lambda: found, 20)
    try:
        yield task, goes_on
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


@pytest.mark.parametrize("b_frames", [0, 2])
async def test_every_picture_comes_at_its_own_time_also_the_last_ones(tmp_path: Path, b_frames: int) -> None:
    async with rig(tmp_path):
        found = await times(LiveClient(tmp_path, ME).convert(sent(film(b_frames))))
    assert found == sorted(unit.pts_ticks for unit in film(b_frames))


async def test_live_and_recorded_share_one_limit_and_recorded_wait_for_their_turn(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with rig(tmp_path, conversions_max=1) as made:
        client = LiveClient(tmp_path, ME)
        async with begun(client) as (first, goes_on):
            second = asyncio.create_task(times(client.convert(sent(film()))))
            await asyncio.sleep(1)
            assert not second.done()
            goes_on.set()
            assert len(await first) % len(film()) == 0
            assert len(await second) == len(film())
        async with begun(client):
            monkeypatch.setattr(converted, "WAIT_S", 0.5)
            began = time.monotonic()
            with pytest.raises(ConversionsFullError):
                await times(client.convert(sent(film())))
            assert 0.4 < time.monotonic() - began < 3
        assert made.looks.present == {"webrtc": 0, "https": 0}
    async with rig(tmp_path, conversions_max=0):
        with pytest.raises(ConversionsFullError):
            await times(LiveClient(tmp_path, ME).convert(sent(film())))


async def test_a_live_look_waits_for_the_end_of_a_piece(tmp_path: Path) -> None:
    async with (
        rig(tmp_path, film=film(), conversions_max=1) as made,
        begun(LiveClient(tmp_path, ME)) as (_, goes_on),
        made.look(convert=True) as heard,
    ):
        await asyncio.sleep(1)
        assert heard.empty()
        goes_on.set()
        async with asyncio.timeout(20):
            assert await heard.get() == {"converted": "h265"}
            assert "avc1" in (await heard.get())["mime"]


async def test_a_process_that_dies_or_hangs_takes_nothing_else_along(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recorded, "STUCK_S", 3.0)
    async with rig(tmp_path):
        client, before = LiveClient(tmp_path, ME), children()
        async with begun(client) as (other, others_go_on):
            spared = children() - before
            for number in (signal.SIGKILL, signal.SIGSTOP):
                async with begun(client) as (task, _):
                    (pid,) = children() - before - spared
                    os.kill(pid, number)
                    with pytest.raises(ConversionBrokenError):
                        await asyncio.wait_for(task, 10)
                await until(lambda: children() - before == spared)
            others_go_on.set()
            assert len(await other) % len(film()) == 0


async def test_it_ends_with_the_one_who_asked_and_with_what_cannot_be_read(tmp_path: Path) -> None:
    async def unreadable() -> AsyncIterator[Any]:
        yield stream_of(film()[0].parameters)
        raise FileNotFoundError

    async with rig(tmp_path) as made:
        client, before = LiveClient(tmp_path, ME), children()
        async with begun(client) as (task, _):
            task.cancel()
        await until(lambda: children() == before, 3)
        with pytest.raises(FileNotFoundError):
            await times(client.convert(unreadable()))
        await until(lambda: children() == before, 3)
        assert made.looks.present == {"webrtc": 0, "https": 0}
    with pytest.raises(LiveAwayError):
        await times(LiveClient(tmp_path, ME).convert(unreadable()))

"""Publishing: durable in order, and never claimed before it is."""

from __future__ import annotations

import asyncio
import errno
import os
import time
from pathlib import Path

import pytest

from domain.footage import GapCause
from domain.time import NS
from ingest.recording import publishing
from ingest.spool import Spool, SpoolError
from tests.support.footage.recorded import (
    assert_chained,
    left_in_spool,
)
from tests.support.footage.recording import Rig, break_at, until


@pytest.mark.parametrize("place", ["spool.finish.tail", "spool.finish.metadata", "spool.publish.position"])
async def test_segment_that_is_whole_but_cannot_be_published_or_read_counts_to_its_end(
    rig: Rig, monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    """Out of descriptors as it ends: what is told of the time after it must not overlap what is found later."""
    monkeypatch.setattr("ingest.recording.recorder._RECOVER_EVERY_S", 0.05)
    denied = [True]
    recover = Spool.recover

    def refused(*arguments: object) -> object:
        if denied[0]:
            raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))
        return recover(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(Spool, "recover", refused)
    async with rig.recorder() as recorder:
        camera = rig.camera(recorder)
        camera.resume(rig.now_ns)
        rig.begin(camera)
        rig.hand_in(camera, 4, size=300)  # the last one is sealed by the end of the segment
        break_at(monkeypatch, f"{place}=error@1")
        with pytest.raises(SpoolError):
            camera.finish(rig.now_ns)
        assert camera.accounted_ns == rig.now_ns
        rig.now_ns += NS
        camera.missing(rig.now_ns, GapCause.STORAGE)
        denied[0] = False
        rig.stop(camera)
        await until(lambda: len(rig.catalogue.live()) == 1)
    rig.check()


# -- fsync


async def test_fsync_publishes_in_order_and_keeps_every_promise(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    original, calls = publishing._sync_and_close, []

    def unevenly(folder: Path, *pairs: tuple[int, int]) -> None:
        calls.append(1)
        time.sleep(0.2 if len(calls) % 2 else 0.0)
        original(folder, *pairs)

    monkeypatch.setattr(publishing, "_sync_and_close", unevenly)
    rig.more = {"fsync": True}
    async with rig.recorder() as recorder:
        camera = rig.camera(recorder)
        camera.resume(rig.now_ns)
        for _ in range(6):
            rig.segment(camera)
        rig.now_ns += NS
        camera.missing(rig.now_ns, GapCause.LOSS)
        for _ in range(3):
            rig.segment(camera)
            await asyncio.sleep(0.05)
        rig.begin(camera)
        rig.hand_in(camera, 3)
        await asyncio.sleep(0.8)
        rig.stop(camera)
    assert len(rig.check()) == 10
    assert_chained(rig)


async def test_fsync_mark_never_runs_ahead_of_what_is_published(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    held = asyncio.Event()

    async def hold(*_: object) -> None:
        await held.wait()

    monkeypatch.setattr(publishing.Publishing, "_sync", hold)
    rig.more = {"fsync": True}
    async with rig.recorder(drain_s=0) as recorder:
        camera = rig.camera(recorder)
        camera.resume(rig.now_ns)
        first_ns = rig.now_ns
        rig.segment(camera)
        assert camera._spool.positions.load(camera.camera_id).end_ns == first_ns
        rig.now_ns += NS
        camera.missing(rig.now_ns, GapCause.LOSS)  # settles: footage before the gap is on the disk before the gap is
        assert [name for name in left_in_spool(rig) if name.endswith(".part")] == []
        assert camera._spool.positions.load(camera.camera_id).end_ns == rig.now_ns
        rig.stop(camera)
        held.set()


async def test_fsync_that_fails_is_made_good(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ingest.recording.recorder._RECOVER_EVERY_S", 1.0)
    original = publishing._sync_and_close

    def failing(folder: Path, *pairs: tuple[int, int]) -> None:
        original(folder, *pairs)
        raise OSError(errno.EIO, "failed")

    rig.more = {"fsync": True}
    async with rig.recorder() as recorder:
        camera = rig.camera(recorder)
        camera.resume(rig.now_ns)
        await asyncio.sleep(0.01)  # the first round of mending, which would sync in its own way, is over
        with monkeypatch.context() as broken:
            broken.setattr(publishing, "_sync_and_close", failing)
            rig.segment(camera)
            rig.segment(camera)
            await until(lambda: bool(recorder.stats().problems))
        rig.segment(camera)
        await until(lambda: recorder.stats().uploaded == 3)
        rig.stop(camera)
    assert len(rig.check()) == 3

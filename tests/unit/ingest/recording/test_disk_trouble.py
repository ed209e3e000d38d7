"""A disk that is full, refuses or turns read-only costs footage at most, never the account of it."""

from __future__ import annotations

import asyncio
import errno
import os
from pathlib import Path

import pytest

from domain.footage import GapCause
from domain.time import NS
from ingest.spool import SpoolError, SpoolFullError
from tests.support.footage.recorded import (
    abandoned,
    causes,
    left_in_spool,
    recorded_with_gaps,
    segment_or_gap,
)
from tests.support.footage.recording import Rig, break_at, until

# -- The disk refuses


@pytest.mark.parametrize(
    "place",
    [
        "spool.begin.metadata",
        "spool.begin.header",
        "spool.append.metadata",
        "spool.append.chunks",
        "spool.finish.tail",
        "spool.finish.metadata",
        "spool.publish.position",
    ],
)
@pytest.mark.parametrize("action", ["full", "error"])
@pytest.mark.parametrize("at", [1, 3])
async def test_disk_that_refuses_once_costs_footage_but_not_the_account(
    rig: Rig, monkeypatch: pytest.MonkeyPatch, place: str, action: str, at: int
) -> None:
    break_at(monkeypatch, f"{place}={action}@{at}")
    errors = await recorded_with_gaps(rig, segments=5, fragments=4)
    assert errors == 1  # positive control: it did refuse
    rig.check(lost_at_most=4)
    assert left_in_spool(rig) == []


async def test_disk_that_refuses_for_a_while_is_made_good_later(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither the segment's end nor its mending can be written; both are, when the disk accepts writes again."""
    monkeypatch.setattr("ingest.recording.recorder._RECOVER_EVERY_S", 0.1)
    async with rig.recorder() as recorder:
        camera = rig.camera(recorder)
        camera.resume(rig.now_ns)
        rig.segment(camera)
        rig.begin(camera)
        rig.hand_in(camera, 4, size=50_000)
        with monkeypatch.context() as broken:
            break_at(broken, "spool.finish.tail=full,spool.recover.cut=full,spool.recover.metadata=full")
            with pytest.raises(SpoolError):
                camera.finish(rig.now_ns)
            rig.now_ns += NS
            camera.missing(rig.now_ns, GapCause.STORAGE)
            await asyncio.sleep(0.3)  # mending is tried, in vain
            assert any(name.endswith(".part") for name in left_in_spool(rig))
        rig.segment(camera)
        await until(lambda: left_in_spool(rig) == [])
        rig.segment(camera)
        rig.stop(camera)
    live = rig.check()
    assert len(live) == 4
    assert [item.recovered for item in live].count(True) <= 1
    assert left_in_spool(rig) == []


async def test_disk_that_is_mended_just_before_the_end_is_made_good_at_the_end(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And not at the next start, until when nobody would find the footage."""
    monkeypatch.setattr("ingest.recording.recorder._RECOVER_EVERY_S", 3600)
    async with rig.recorder() as recorder:
        camera = rig.camera(recorder)
        camera.resume(rig.now_ns)
        await asyncio.sleep(0.05)  # the first attempt, which finds nothing
        rig.begin(camera)
        rig.hand_in(camera, 4, size=50_000)
        with monkeypatch.context() as broken:
            break_at(broken, "spool.finish.tail=full,spool.recover.cut=full,spool.recover.metadata=full")
            with pytest.raises(SpoolError):
                camera.finish(rig.now_ns)
        assert any(name.endswith(".part") for name in left_in_spool(rig))
        camera.stop(rig.now_ns)
    assert left_in_spool(rig) == []
    assert len(rig.check()) == 1


def read_only(broken: pytest.MonkeyPatch, directory: Path) -> None:
    """As a file system that was remounted after an error: whatever is read is there, whatever changes it is refused."""

    def refuse(path: object) -> None:
        if isinstance(path, int):
            path = Path(f"/proc/self/fd/{path}").readlink()
        if str(path).startswith(str(directory)):
            raise OSError(errno.EROFS, os.strerror(errno.EROFS))

    def guarded(name: str) -> None:
        original = getattr(os, name)

        def call(first: object, *rest: object, **more: object) -> object:
            if name != "open" or (rest and isinstance(rest[0], int) and rest[0] & (os.O_WRONLY | os.O_RDWR)):
                refuse(first)
            return original(first, *rest, **more)

        broken.setattr(os, name, call)

    for name in ("open", "write", "writev", "pwrite", "ftruncate", "rename", "replace", "unlink", "mkdir"):
        guarded(name)


async def test_disk_that_becomes_read_only_is_told_and_made_good(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ingest.recording.recorder._RECOVER_EVERY_S", 0.1)
    async with rig.recorder() as recorder:
        camera = rig.camera(recorder)
        camera.resume(rig.now_ns)
        rig.segment(camera)
        rig.begin(camera)
        rig.hand_in(camera, 4, size=50_000)
        with monkeypatch.context() as broken:
            read_only(broken, rig.directory)
            refused = 0
            with pytest.raises(SpoolError):
                camera.finish(rig.now_ns)
            rig.now_ns += NS
            camera.missing(rig.now_ns, GapCause.STORAGE)
            for _ in range(3):
                refused += await segment_or_gap(rig, camera, 2, 20_000)
            assert refused == 3
            # What was finished is stored and committed, gaps too; only the files cannot go.
            await until(lambda: recorder.stats().uploaded >= 1 and bool(rig.catalogue.gap_rows))
            assert recorder.stats().problems
        rig.segment(camera)
        rig.stop(camera)
        await until(lambda: recorder.stats().uploaded >= 3)
    rig.now_ns += NS
    async with rig.recorder() as recorder:
        rig.camera(recorder).resume(rig.now_ns)
    live = rig.check(lost_at_most=8)
    assert len(live) == 3
    assert left_in_spool(rig) == []


async def test_disk_that_is_full_at_the_start_does_not_keep_a_recorder_from_uploading(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What makes room on a full disk is uploading: it must not wait for mending, which needs room."""
    rig.catalogue.away = True
    async with rig.recorder(drain_s=0) as recorder:
        camera = rig.camera(recorder)
        camera.resume(rig.now_ns)
        for _ in range(3):
            rig.segment(camera)
    await abandoned(rig, 4, size=50_000)
    rig.catalogue.away = False
    rig.now_ns += NS
    monkeypatch.setattr("ingest.recording.recorder._RECOVER_EVERY_S", 0.1)
    with monkeypatch.context() as broken:
        break_at(broken, "spool.recover.metadata=full")
        async with rig.recorder(drain_s=0) as recorder:
            camera = rig.camera(recorder)
            camera.resume(rig.now_ns)
            await until(lambda: recorder.stats().uploaded == 3)
            broken.undo()
            await until(lambda: recorder.stats().uploaded == 4)
            rig.segment(camera)
            rig.stop(camera)
            await until(lambda: recorder.stats().uploaded == 5)
    rig.check(lost_at_most=1)


async def test_gap_that_no_disk_takes_reaches_the_catalogue_from_memory(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with rig.recorder() as recorder:
        camera = rig.camera(recorder)
        camera.resume(rig.now_ns)
        rig.segment(camera)
        break_at(monkeypatch, "spool.gap.write=full")
        rig.now_ns += NS
        camera.missing(rig.now_ns, GapCause.STORAGE)
        ticks = 0
        async with asyncio.timeout(60):
            while not rig.catalogue.gap_rows:
                ticks += 1  # the loop turns: nobody spins
                await asyncio.sleep(0.01)
        assert ticks >= 1
        assert not recorder.stats().gaps_waiting
    assert causes(rig) == [(GapCause.STORAGE, 1.0)]


async def test_gap_that_nobody_takes_waits_and_the_recorder_goes_on(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    async with rig.recorder() as recorder:
        camera = rig.camera(recorder)
        camera.resume(rig.now_ns)
        rig.catalogue.away = True
        with monkeypatch.context() as broken:
            break_at(broken, "spool.gap.write=full")
            rig.now_ns += NS
            camera.missing(rig.now_ns, GapCause.STORAGE)
            async with asyncio.timeout(60):
                for _ in range(50):
                    await asyncio.sleep(0.01)
            assert recorder.stats().gaps_waiting
        rig.catalogue.away = False
        await until(lambda: not recorder.stats().gaps_waiting)
    assert causes(rig) == [(GapCause.STORAGE, 1.0)]


async def test_full_disk_does_not_keep_stored_segments_from_being_committed(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    break_at(monkeypatch, "spool.note=full")
    assert await recorded_with_gaps(rig, segments=3, fragments=4) == 0
    assert len(rig.check()) == 3
    assert len(rig.store.puts) == 3


async def test_disk_reserve_counts_as_full(rig: Rig) -> None:
    rig.more = {"reserve_bytes": 1 << 60}
    async with rig.recorder() as recorder:
        camera = rig.camera(recorder)
        camera.resume(rig.now_ns)
        with pytest.raises(SpoolFullError):
            rig.begin(camera)


async def test_file_that_cannot_be_opened_for_a_moment_is_tried_again(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Out of descriptors: neither is the footage declared damaged, nor does uploading end."""
    monkeypatch.setattr("ingest.recording.retry.FIRST_S", 0.02)
    calls = []

    def matches(*_: object) -> bool:
        calls.append(1)
        raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))

    monkeypatch.setattr("ingest.recording.recorder._matches", matches)
    rig.store.damage = 2
    assert await recorded_with_gaps(rig, segments=2, fragments=2) == 0
    assert calls
    assert len(rig.check()) == 2

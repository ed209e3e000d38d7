"""Uploads: a store that is away, replies that are lost, objects and files that are damaged."""

from __future__ import annotations

import asyncio

import pytest

from domain.footage import GapCause
from domain.time import NS
from storage.sealed import object_name
from tests.support.footage.recorded import (
    causes,
    left_in_spool,
    recorded_with_gaps,
)
from tests.support.footage.recording import Rig, until

# -- The store and the database are away


async def test_store_away_then_back_loses_nothing_and_fresh_footage_goes_first(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ingest.recording.retry.FIRST_S", 0.05)
    monkeypatch.setattr("ingest.recording.retry.LONGEST_S", 0.1)
    rig.store.away = True
    async with rig.recorder(upload_concurrency=2) as recorder:
        camera = rig.camera(recorder)
        camera.resume(rig.now_ns)
        for _ in range(10):
            rig.segment(camera)
            await asyncio.sleep(0.02)
        assert recorder.stats().pending == 10
        assert any("away" in problem["what"] for problem in recorder.stats().problems)
        rig.store.delay_s = 0.05
        rig.store.away = False
        rig.store.puts.clear()
        await until(lambda: len(rig.store.puts) >= 2)
        rig.segment(camera)
        newest = f"{camera.accounted_ns - 2 * NS}-"
        await until(lambda: recorder.stats().pending == 0)
        rig.stop(camera)
    assert len(rig.check()) == 11
    place = next(number for number, name in enumerate(rig.store.puts) if newest in name)
    assert place < 8, "the fresh segment waited behind the whole backlog"
    assert recorder.stats().problems == ()


async def test_lost_replies_of_store_and_database_double_nothing(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ingest.recording.retry.FIRST_S", 0.02)
    rig.store.lose_replies = rig.catalogue.lose_replies = 5
    assert await recorded_with_gaps(rig, segments=8, fragments=2) == 0
    assert len(rig.check()) == 8
    assert len(rig.store.objects) == 8
    assert len(rig.store.puts) == 13


async def test_stored_segments_are_not_put_again_after_a_restart(rig: Rig) -> None:
    rig.catalogue.away = True
    async with rig.recorder(drain_s=0) as recorder:
        camera = rig.camera(recorder)
        camera.resume(rig.now_ns)
        for _ in range(3):
            rig.segment(camera)
        rig.stop(camera)
        await until(lambda: recorder.stats().stored == 3)
    rig.catalogue.away = False
    async with rig.recorder():
        pass
    assert len(rig.check()) == 3
    assert len(rig.store.puts) == 3


async def test_object_of_another_is_parked_and_said_and_the_file_stays(rig: Rig) -> None:
    async with rig.recorder(drain_s=0) as recorder:
        camera = rig.camera(recorder)
        camera.resume(rig.now_ns)
        rig.begin(camera)
        segment = camera._segment
        assert segment is not None
        name = object_name(
            site_id=rig.site_id,
            camera_id=camera.camera_id,
            segment_id=segment.file.place.segment_id,
            start_ns=segment.start_ns,
        )
        rig.store.objects[name] = b"somebody else's"
        rig.hand_in(camera, 2)
        camera.finish(rig.now_ns)
        rig.segment(camera)
        rig.stop(camera)
        await until(lambda: recorder.stats().uploaded == 1)
        assert recorder.stats().pending == 1
        assert any("Another one" in problem["what"] for problem in recorder.stats().problems)
    assert any(name.endswith(".tlns") for name in left_in_spool(rig))
    assert rig.store.objects[name] == b"somebody else's"


# -- Damage in the spool


async def test_spool_file_that_rots_becomes_a_gap_and_is_kept(rig: Rig) -> None:
    rig.store.away = True
    async with rig.recorder(drain_s=0) as recorder:
        camera = rig.camera(recorder)
        camera.resume(rig.now_ns)
        for _ in range(4):
            rig.segment(camera)
        rig.stop(camera)
    files = sorted((rig.directory / "spool" / "segments").glob("*.tlns"))
    flipped = bytearray(files[0].read_bytes())
    flipped[1000] ^= 1
    files[0].write_bytes(flipped)
    files[1].unlink()
    files[2].with_suffix(".metadata").write_bytes(b"rubbish")
    rig.store.away = False
    async with rig.recorder() as recorder:
        rig.camera(recorder).resume(rig.now_ns)
        await until(lambda: recorder.stats().pending == 0)
        assert recorder.stats().damaged == 3
        assert recorder.stats().problems
    assert len(rig.check(lost_at_most=12)) == 1
    assert {gap.cause for gap in rig.catalogue.gaps(rig.cameras[0])} == {GapCause.QUARANTINED}
    damaged = {path.name for path in (rig.directory / "spool" / "damaged").iterdir()}
    assert {files[0].name, files[2].name} <= damaged


async def test_damage_on_the_way_is_tried_again(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ingest.recording.retry.FIRST_S", 0.02)
    rig.store.damage = 2
    assert await recorded_with_gaps(rig, segments=2, fragments=2) == 0
    assert len(rig.check()) == 2
    assert causes(rig) == []


# -- Others


async def test_backlog_is_uploaded_with_rests_and_bounded_concurrency(rig: Rig) -> None:
    rig.store.away = True
    async with rig.recorder(drain_s=0) as recorder:
        camera = rig.camera(recorder)
        camera.resume(rig.now_ns)
        for _ in range(12):
            rig.segment(camera, 1)
        rig.stop(camera)
    rig.store.away, rig.store.delay_s, rig.store.most_at_once = False, 0.05, 0
    loop = asyncio.get_running_loop()
    started_s = loop.time()
    async with rig.recorder(upload_concurrency=3) as recorder:
        await until(lambda: recorder.stats().pending == 0)
    # Two workers take backlog: 6 uploads of 50 ms each, with a rest of a quarter between them.
    assert loop.time() - started_s >= 6 * 0.05 + 5 * 0.05 * 0.25 - 0.02
    assert rig.store.most_at_once == 2
    rig.check()

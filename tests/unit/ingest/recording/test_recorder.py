"""A recorder against a store and a catalogue in memory: a camera's time is tiled, whatever happens on the way."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from domain.footage import GapCause
from domain.time import NS, Span
from ingest.spool import SpoolBusyError
from tests.support.footage.recorded import (
    abandoned,
    assert_chained,
    causes,
    killed,
    left_in_spool,
)
from tests.support.footage.recording import Rig, assert_tiled, make_rig, until

# -- In good order


async def test_everything_handed_in_is_stored_and_committed_and_the_spool_is_empty(rig: Rig) -> None:
    async with rig.recorder() as recorder:
        camera = rig.camera(recorder)
        camera.resume(rig.now_ns)
        for size in (300, 20_000, 20_000, 400_000, 1_500_000):
            rig.segment(camera, size=size)
        rig.stop(camera)
    live = rig.check()
    assert len(live) == camera.segments == 5
    assert [item.frames for item in live] == [12] * 5
    assert all(not item.recovered for item in live)
    assert left_in_spool(rig) == []
    assert causes(rig) == []


async def test_stop_and_start_leave_a_gap_that_is_called_a_stop(rig: Rig) -> None:
    for _ in range(3):
        async with rig.recorder() as recorder:
            camera = rig.camera(recorder)
            camera.resume(rig.now_ns)
            rig.segment(camera)
            rig.stop(camera)
        rig.now_ns += 5 * NS
    assert len(rig.check()) == 3
    assert causes(rig) == [(GapCause.STOPPED, 5.0)] * 2


async def test_trailers_form_a_chain_over_restarts_and_recovery(rig: Rig) -> None:
    for round_number in range(3):
        async with rig.recorder() as recorder:
            camera = rig.camera(recorder)
            camera.resume(rig.now_ns)
            rig.segment(camera)
            rig.segment(camera)
            if round_number < 2:
                rig.stop(camera)
        rig.now_ns += NS
        await abandoned(rig)
        rig.now_ns += NS
    async with rig.recorder():
        pass
    assert_chained(rig)


async def test_second_recorder_on_the_same_spool_is_refused(rig: Rig) -> None:
    async with rig.recorder():
        with pytest.raises(SpoolBusyError):
            async with rig.recorder():
                pass
    async with rig.recorder():
        pass


# -- Crashes


async def test_crash_in_mid_segment_loses_one_fragment_at_most(rig: Rig) -> None:
    for fragments, size in ((1, 300), (1, 60_000), (5, 300), (5, 20_000), (7, 200_000)):
        await abandoned(rig, fragments, size=size)
        rig.now_ns += 3 * NS
    async with rig.recorder() as recorder:
        rig.camera(recorder).resume(rig.now_ns)
    live = rig.check(lost_at_most=5)
    assert len(live) >= 3
    assert all(item.recovered for item in live)
    assert {cause for cause, _ in causes(rig)} == {GapCause.CRASH}


async def test_first_start_that_crashes_before_any_footage_is_accounted_for(rig: Rig) -> None:
    with pytest.raises(KeyboardInterrupt):
        async with rig.recorder() as recorder:
            rig.camera(recorder).resume(rig.now_ns)
            raise KeyboardInterrupt
    rig.now_ns += 7 * NS
    async with rig.recorder() as recorder:
        rig.camera(recorder).resume(rig.now_ns)
    assert causes(rig) == [(GapCause.CRASH, 7.0)]


async def test_crash_between_a_gap_and_its_mark_does_not_tell_it_twice(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    rig.catalogue.away = True  # the gap is still in the journal at the restart
    with pytest.raises(KeyboardInterrupt):
        async with rig.recorder(drain_s=0) as recorder:
            camera = rig.camera(recorder)
            camera.resume(rig.now_ns)
            rig.segment(camera)
            rig.now_ns += 2 * NS
            monkeypatch.setattr(camera._spool.positions, "save", killed)
            camera.missing(rig.now_ns, GapCause.UNREACHABLE)
    monkeypatch.undo()
    rig.catalogue.away = False
    rig.now_ns += 3 * NS
    async with rig.recorder() as recorder:
        rig.camera(recorder).resume(rig.now_ns)
    rig.check()
    assert causes(rig) == [(GapCause.UNREACHABLE, 2.0), (GapCause.CRASH, 3.0)]


async def test_mistake_of_ours_in_the_background_does_not_end_it(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    original = rig.catalogue.commit_segment
    calls = []

    async def mistaken(segment: object) -> object:
        calls.append(1)
        if len(calls) == 1:
            raise ZeroDivisionError
        return await original(segment)  # type: ignore[arg-type]

    monkeypatch.setattr(rig.catalogue, "commit_segment", mistaken)
    async with rig.recorder() as recorder:
        camera = rig.camera(recorder)
        camera.resume(rig.now_ns)
        for _ in range(6):
            rig.segment(camera)
        rig.stop(camera)
        await until(lambda: len(calls) > 1)
        rig.segment(camera)
        rig.stop(camera)
    async with rig.recorder():
        pass  # what was being committed when it ended is found at the next start
    assert len(rig.check()) == 7


async def test_many_cameras_share_one_spool(tmp_path: Path) -> None:
    rig = make_rig(tmp_path, cameras=6)
    async with rig.recorder() as recorder:
        cameras = [rig.camera(recorder, number) for number in range(6)]
        for camera in cameras:
            camera.resume(rig.now_ns)
        for _ in range(4):
            at_ns = rig.now_ns
            for camera in cameras:
                rig.now_ns = at_ns
                rig.segment(camera)
        for camera in cameras:
            rig.stop(camera)
    for camera_id in rig.cameras:
        assert len(rig.check(camera_id)) == 4


def test_tiling_check_finds_holes_and_overlaps() -> None:
    """Positive control of the check itself."""
    assert_tiled([Span(0, 5), Span(7, 9)], [Span(5, 7)])
    for footage, gaps in (
        ([Span(0, 5), Span(6, 9)], []),
        ([Span(0, 5), Span(4, 9)], []),
        ([Span(0, 5)], [Span(4, 9)]),
    ):
        with pytest.raises(AssertionError):
            assert_tiled(footage, gaps)


async def test_check_finds_what_was_lost(rig: Rig) -> None:
    """Positive control: a fragment that was not recorded is missed."""
    async with rig.recorder() as recorder:
        camera = rig.camera(recorder)
        camera.resume(rig.now_ns)
        rig.segment(camera)
        rig.stop(camera)
    rig.check()
    first = rig.handed_in[rig.cameras[0]][0]
    rig.handed_in[rig.cameras[0]].append(replace(first, start_ns=first.start_ns + 1))
    with pytest.raises(AssertionError):
        rig.check()

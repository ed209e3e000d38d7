"""A full spool: what is new is refused, or the oldest goes, and the room is counted exactly."""

from __future__ import annotations

import pytest

from domain.footage import GapCause
from domain.time import NS
from ingest.recording import Recorder
from tests.support.footage.recorded import (
    causes,
    killed,
    segment_or_gap,
)
from tests.support.footage.recording import Rig, until

# -- The spool is full


async def fill(rig: Rig, segments: int) -> int:
    async with rig.recorder(drain_s=0) as recorder:
        camera = rig.camera(recorder)
        camera.resume(rig.now_ns)
        refused = 0
        for _ in range(segments):
            refused += await segment_or_gap(rig, camera, 4, 200_000)
            assert recorder.stats().spool_bytes <= rig.settings.max_bytes + 20_000
        assert any("full" in problem["what"] for problem in recorder.stats().problems)
        rig.stop(camera)
    return refused


def says_full(recorder: Recorder) -> bool:
    return any("full" in problem["what"] for problem in recorder.stats().problems)


@pytest.mark.parametrize("policy", ["drop_oldest", "refuse"])
async def test_full_spool_is_said_while_it_is_so_and_no_longer(rig: Rig, policy: str) -> None:
    """Dropping makes room for one segment, and is not the end of it; uploading is, though nobody asks for room then."""
    rig.more = {"max_bytes": 8_000_000, "when_full": policy}
    rig.store.away = True
    async with rig.recorder() as recorder:
        camera = rig.camera(recorder)
        camera.resume(rig.now_ns)
        assert not says_full(recorder)
        for _ in range(12):
            await segment_or_gap(rig, camera, 4, 200_000)
        for _ in range(4):
            await segment_or_gap(rig, camera, 4, 200_000)
            assert says_full(recorder)
        rig.stop(camera)
        rig.store.away = False
        await until(lambda: not says_full(recorder))


async def test_full_spool_refuses_what_is_new_and_says_so(rig: Rig) -> None:
    rig.more = {"max_bytes": 8_000_000}
    rig.store.away = True
    assert await fill(rig, 12) >= 6
    rig.store.away = False
    async with rig.recorder() as recorder:
        rig.camera(recorder).resume(rig.now_ns)
    live = rig.check(lost_at_most=48)
    assert 3 <= len(live) <= 6
    assert live[0].span.start_ns == min(piece.start_ns for piece in rig.handed_in[rig.cameras[0]])
    assert {cause for cause, _ in causes(rig)} == {GapCause.SPOOL_FULL}


async def test_full_spool_drops_the_oldest_with_a_gap_in_its_place(rig: Rig) -> None:
    rig.more = {"max_bytes": 8_000_000, "when_full": "drop_oldest"}
    rig.store.away = True
    assert await fill(rig, 12) == 0
    rig.store.away = False
    async with rig.recorder() as recorder:
        rig.camera(recorder).resume(rig.now_ns)
    live = rig.check(lost_at_most=48)
    assert 3 <= len(live) <= 6
    assert live[-1].span.end_ns == rig.now_ns
    assert {cause for cause, _ in causes(rig)} == {GapCause.SPOOL_FULL}


@pytest.mark.parametrize("place", ["spool.note.dropped", "upload.drop.gap", "spool.remove.sealed"])
async def test_crash_while_dropping_is_made_good(rig: Rig, monkeypatch: pytest.MonkeyPatch, place: str) -> None:
    """Whatever was given up is a gap, once; it does not come back as footage."""
    rig.more = {"max_bytes": 8_000_000, "when_full": "drop_oldest"}
    rig.store.away = True
    with monkeypatch.context() as broken, pytest.raises(KeyboardInterrupt):
        for module in ("ingest.spool.spool", "ingest.spool.recovery", "ingest.recording.uploader"):
            broken.setattr(f"{module}.hit", lambda name: killed() if name == place else None)
        await fill(rig, 12)
    rig.store.away = False
    rig.now_ns += NS
    async with rig.recorder() as recorder:
        rig.camera(recorder).resume(rig.now_ns)
    rig.check(lost_at_most=48)
    dropped = [span_s for cause, span_s in causes(rig) if cause is GapCause.SPOOL_FULL]
    assert dropped == [2.0]


async def test_room_is_counted_exactly(rig: Rig) -> None:
    rig.store.away = True
    async with rig.recorder(drain_s=0) as recorder:
        camera = rig.camera(recorder)
        camera.resume(rig.now_ns)
        for _ in range(5):
            rig.segment(camera)
        rig.begin(camera)
        rig.hand_in(camera, 3)
        folder = rig.directory / "spool" / "segments"
        assert recorder.stats().spool_bytes == sum(path.stat().st_size for path in folder.iterdir())
        rig.store.away = False
        rig.stop(camera)
        await until(lambda: recorder.stats().pending == 0)
        assert recorder.stats().spool_bytes == 0

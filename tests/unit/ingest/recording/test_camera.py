"""One camera's recording: what is refused, what is missing, how long anything waits unsealed."""

from __future__ import annotations

import uuid

import pytest

from domain.footage import GapCause
from domain.ids import CameraId
from domain.time import NS
from ingest.recording.errors import AccountedError
from storage.keys import NoHourKeyError
from tests.support.footage.recorded import (
    causes,
    left_in_spool,
)
from tests.support.footage.recording import CODEC, INIT, Rig


async def test_gap_before_a_segment_is_never_forgotten(rig: Rig) -> None:
    async with rig.recorder() as recorder:
        camera = rig.camera(recorder)
        camera.resume(rig.now_ns)
        rig.now_ns += 2 * NS
        camera.missing(rig.now_ns, GapCause.UNREACHABLE, "no route")
        rig.now_ns += NS
        rig.segment(camera)  # nobody said what was in that second
        rig.now_ns += NS
        rig.stop(camera)
    rig.check()
    assert causes(rig) == [(GapCause.UNREACHABLE, 2.0), (GapCause.STARTING, 1.0), (GapCause.STOPPED, 1.0)]


async def test_footage_that_comes_too_early_is_refused_and_changes_nothing(rig: Rig) -> None:
    async with rig.recorder() as recorder:
        camera = rig.camera(recorder)
        camera.resume(rig.now_ns)
        rig.segment(camera)
        with pytest.raises(AccountedError):
            camera.begin(rig.now_ns - 1, CODEC, INIT)
        rig.begin(camera)
        with pytest.raises(ValueError, match="open"):
            rig.begin(camera)
        with pytest.raises(ValueError, match="middle"):
            camera.missing(rig.now_ns + NS, GapCause.LOSS)
        rig.hand_in(camera, 2)
        rig.stop(camera)
    assert len(rig.check()) == 2


async def test_segment_without_a_fragment_leaves_nothing(rig: Rig) -> None:
    async with rig.recorder() as recorder:
        camera = rig.camera(recorder)
        camera.resume(rig.now_ns)
        used = recorder.stats().spool_bytes
        rig.begin(camera)
        camera.finish(rig.now_ns)
        assert left_in_spool(rig) == []
        assert recorder.stats().spool_bytes == used
        rig.segment(camera)
        rig.stop(camera)
    assert len(rig.check()) == 1


async def test_no_hour_key_means_no_segment(rig: Rig) -> None:
    stranger = CameraId(uuid.uuid4())
    async with rig.recorder() as recorder:
        camera = recorder.camera(rig.site_id, stranger)
        camera.resume(rig.now_ns)
        with pytest.raises(NoHourKeyError):
            rig.begin(camera)
        assert not camera.open
        assert left_in_spool(rig) == []
        rig.now_ns += NS
        camera.missing(rig.now_ns, GapCause.NO_KEY)
    assert [gap.cause for gap in rig.catalogue.gaps(stranger)] == [GapCause.NO_KEY]


async def test_nothing_waits_unsealed_for_more_than_a_second(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    async with rig.recorder() as recorder:
        camera = rig.camera(recorder)
        camera.resume(rig.now_ns)
        rig.begin(camera)
        now = [0]
        monkeypatch.setattr(camera, "_mono_ns", lambda: now[0])
        rig.hand_in(camera, 2, size=2_000)
        segment = camera._segment
        assert segment is not None
        camera.tick()
        assert segment.sealer.unsealed_size > 0  # positive control: it does wait
        now[0] += 950_000_000
        camera.tick()
        assert segment.sealer.unsealed_size == 0
        rig.hand_in(camera, size=2_000)
        rig.hand_in(camera, size=2_000)
        assert segment.sealer.unsealed_size == 0 or segment.durable_end_ns >= rig.now_ns - NS // 2
        rig.stop(camera)
    rig.check()

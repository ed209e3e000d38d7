"""A camera's recording when a clock steps: the camera's own, or the recorder's."""

from __future__ import annotations

import time
from collections.abc import AsyncGenerator
from pathlib import Path

import pytest

from domain.footage import GapCause, SegmentState
from domain.time import NS
from ingest.camera import Camera
from ingest.media.clock import RecorderClock
from tests.support.cameras import scripted
from tests.support.cameras.scripted import Item, Scripted, check, recorded, shown
from tests.support.footage.recording import assert_tiled, make_rig
from tests.support.footage.sealed import START_NS

HOURS = 5 * 3600


@pytest.mark.parametrize("at", [150, 160])  # at a key frame, and between two
@pytest.mark.parametrize("seconds", [HOURS, -HOURS, 20, -20, -3, -0.5, -0.2])
async def test_camera_that_steps_its_clock_loses_nothing(tmp_path: Path, at: int, seconds: float) -> None:
    """Its time jumps against ours: what follows is another segment, with a key frame or without."""
    rig = make_rig(tmp_path)
    made = await recorded(rig, shown(shift_s=lambda number: seconds if number >= at else 0))
    check(rig, pictures=300)
    assert made.health.clock_jumps == 1
    live = rig.catalogue.live()
    assert live[-1].span.end_ns - live[0].span.start_ns == pytest.approx(12 * NS, abs=0.3 * NS)


@pytest.mark.parametrize("seconds", [20, -20, 5, -600])
@pytest.mark.parametrize("at", [1, 10])  # within the first 0.7 s, in which the clock settles
async def test_camera_that_steps_its_clock_at_once_loses_nothing(tmp_path: Path, at: int, seconds: float) -> None:
    rig = make_rig(tmp_path)
    pictures = shown(shift_s=lambda number: seconds if number >= at else 0)
    for number, unit in enumerate(pictures):
        unit.key = number in (0, 250)  # ten seconds until the next one
    made = await recorded(rig, pictures)
    live, gaps = rig.catalogue.live(), rig.catalogue.gaps(rig.cameras[0])
    assert_tiled([item.span for item in live], [gap.span for gap in gaps])
    assert sum(item.frames for item in live) == 300
    assert made.health.clock_jumps == 1
    assert live[0].span.start_ns - START_NS == pytest.approx(0, abs=0.2 * NS)


async def test_time_recorded_under_a_clock_that_was_ahead_is_recorded_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Stopped in good order, the clock put right, started again: footage, in the next epoch, and a word about it."""
    rig = make_rig(tmp_path)
    now_ns = START_NS
    for ahead_s, epoch in ((3600, 1), (20, 2), (40, 2), (0, 3)):
        monkeypatch.setattr(scripted, "START_NS", now_ns + ahead_s * NS)
        before = set(rig.catalogue.segments)
        await recorded(rig, shown())
        new = [item for key, item in rig.catalogue.segments.items() if key not in before]
        assert sum(item.frames for item in new) == 300
        assert {item.epoch for item in new} == {epoch}
        assert min(item.span.start_ns for item in new) - now_ns == pytest.approx(ahead_s * NS, abs=0.2 * NS)
    assert caplog.text.count("from a clock that was ahead") == 2


def set_clock(made: Camera, clock: RecorderClock, step_s: float) -> None:
    """As the role does it."""
    step_ns = round(step_s * NS)
    made.clock_stepped(step_ns)
    mono_ns = time.monotonic_ns()
    clock.observe(mono_ns, clock.utc_ns(mono_ns) + step_ns)


async def test_recorders_clock_that_goes_ahead_is_a_gap(tmp_path: Path) -> None:
    rig = make_rig(tmp_path)
    await recorded(rig, shown(), meanwhile=lambda made, clock: set_clock(made, clock, 1800))
    live, gaps = rig.catalogue.live(), rig.catalogue.gaps(rig.cameras[0])
    assert_tiled([item.span for item in live], [gap.span for gap in gaps])
    (gap,) = [gap for gap in gaps if gap.span.duration_ns > 1000 * NS]
    assert gap.cause is GapCause.CLOCK
    assert (
        sum(item.frames for item in live) == 300
    )  # no picture is missing, with a key frame behind the step or without
    assert live[-1].span.end_ns > START_NS + 1800 * NS


@pytest.mark.parametrize("back_s", [3600, 60, 4, 1.5])
async def test_recorders_clock_that_goes_back_is_followed_at_once(tmp_path: Path, back_s: float) -> None:
    """The time is recorded again; what was filed behind it is a shadow; nothing is missing from the rest."""
    rig = make_rig(tmp_path)
    made = await recorded(rig, shown(), meanwhile=lambda made, clock: set_clock(made, clock, -back_s))
    live, gaps = rig.catalogue.live(), rig.catalogue.gaps(rig.cameras[0])
    until_ns = max(item.span.end_ns for item in live if item.epoch == 2)
    spans = [[one.span for one in some if one.span.start_ns < until_ns] for some in (live, gaps)]
    assert_tiled(*spans)  # before now: the time until the first footage is known of only now
    shadows = [item for item in rig.catalogue.segments.values() if item.state is SegmentState.SHADOW]
    assert sum(item.frames for item in [*live, *shadows]) == 300
    again = [item for item in live if item.epoch == 2]
    assert sum(item.frames for item in again) == pytest.approx(150, abs=12)
    assert again[0].span.start_ns == pytest.approx(START_NS + (6 - back_s) * NS, abs=0.6 * NS)
    assert all(item.span.overlaps(again[0].span) or item.span.start_ns > again[0].span.start_ns for item in shadows)
    assert made.health.misfiled is not None
    assert made.health.misfiled.end_ns == pytest.approx(START_NS + 6 * NS, abs=0.6 * NS)


async def test_recorders_clock_that_goes_ahead_and_comes_back_leaves_a_gap_of_that_time_only(tmp_path: Path) -> None:
    rig = make_rig(tmp_path)
    steps = iter((3600.0, -3600.0))
    pictures = shown()

    class Stepping(Scripted):
        async def batches(self) -> AsyncGenerator[list[Item], None]:
            at = 0
            async for batch in super().batches():
                at += len(batch)
                yield batch
                if at in (100, 200):
                    set_clock(made[0], clocks[0], next(steps))

    made: list[Camera] = []
    clocks: list[RecorderClock] = []

    await recorded(
        rig,
        pictures,
        make=lambda: Stepping(pictures),
        know=lambda camera, clock: (made.append(camera), clocks.append(clock)),
    )
    live, gaps = rig.catalogue.live(), rig.catalogue.gaps(rig.cameras[0])
    now_ns = live[-1].span.end_ns
    assert now_ns == pytest.approx(START_NS + 12 * NS, abs=0.6 * NS)
    assert_tiled([item.span for item in live], [gap.span for gap in gaps])
    (gap,) = [gap for gap in gaps if gap.span.end_ns <= now_ns and gap.span.duration_ns > NS]
    assert (gap.cause, gap.span.duration_ns) == (GapCause.CLOCK, pytest.approx(4 * NS, abs=0.6 * NS))
    shadows = [item for item in rig.catalogue.segments.values() if item.state is SegmentState.SHADOW]
    assert sum(item.frames for item in shadows) == pytest.approx(100, abs=12)
    assert all(item.span.start_ns >= START_NS + 3600 * NS for item in shadows)

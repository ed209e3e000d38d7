"""One camera over its time: clocks that jump, bursts, watches. Scripted pictures, a real recorder, no waiting."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator
from pathlib import Path

import pytest

from domain.footage import GapCause
from domain.time import NS
from ingest import camera as module
from ingest.access_unit import Loss
from ingest.camera import Camera
from ingest.errors import CameraAwayError
from ingest.recording import CameraRecording
from ingest.spool import SpoolFullError
from tests.support.cameras.scripted import Item, Scripted, check, recorded, shown
from tests.support.cameras.video import encoded, units
from tests.support.footage.recording import assert_tiled, make_rig
from tests.support.footage.sealed import START_NS


async def test_steady_camera_is_recorded_whole(tmp_path: Path) -> None:
    rig = make_rig(tmp_path)
    made = await recorded(rig, shown())
    check(rig, pictures=300)
    assert (made.health.clock_jumps, made.health.last_error) == (0, "")


async def test_attempts_while_the_spool_is_full_are_one_gap_and_its_problem_clears(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A key frame comes every second: a day's outage would be as many rows as a day has seconds."""
    rig = make_rig(tmp_path)
    really, attempts, seen = CameraRecording.make_room, [], []

    def full(recording: CameraRecording, wanted_bytes: int) -> None:
        health = camera_of[0].health
        if 60 < health.frames < 230:
            attempts.append(health.frames)
            raise SpoolFullError("The spool is full.", "Make room.")
        seen.append(health.last_error)
        really(recording, wanted_bytes)

    camera_of: list[Camera] = []
    monkeypatch.setattr(CameraRecording, "make_room", full)
    made = await recorded(rig, shown(), know=lambda camera, _: camera_of.append(camera))
    live, gaps = rig.catalogue.live(), rig.catalogue.gaps(rig.cameras[0])
    assert_tiled([item.span for item in live], [gap.span for gap in gaps])
    assert len(attempts) >= 5
    assert [gap.cause for gap in gaps if gap.cause is not GapCause.STARTING] == [GapCause.SPOOL_FULL]
    rows = [gap for gap in rig.catalogue.gap_rows.values() if gap.cause is GapCause.SPOOL_FULL]
    assert len(rows) == 1
    assert "The spool is full." in seen
    assert made.health.last_error == ""


@pytest.mark.parametrize("place", [6, 40])  # before the clock has settled, and after
async def test_a_loss_is_a_gap_where_it_is(tmp_path: Path, place: int) -> None:
    """Pictures up to the loss, then nothing until the next key frame; never one run over both."""
    rig = make_rig(tmp_path)
    pictures = shown()
    resumed = next(number for number in range(place, 300) if pictures[number].key)
    await recorded(rig, [*pictures[:place], Loss(1), *pictures[resumed:]])
    live, gaps = rig.catalogue.live(), rig.catalogue.gaps(rig.cameras[0])
    assert_tiled([item.span for item in live], [gap.span for gap in gaps])
    (gap,) = [gap for gap in gaps if gap.cause is GapCause.LOSS]
    for at_ns, frame in ((gap.span.start_ns, place), (gap.span.end_ns, resumed)):
        assert at_ns - START_NS == pytest.approx(frame * NS // 25, abs=0.1 * NS)
    check(rig, pictures=300 - (resumed - place))


@pytest.mark.parametrize("place", [6, 40])  # before the clock has settled, and after
async def test_a_loss_without_a_gap_is_counted_and_the_footage_goes_on_with_its_mark(
    tmp_path: Path, place: int
) -> None:
    rig = make_rig(tmp_path)
    pictures = shown()
    until = next(number for number in range(place, 300) if pictures[number].key)
    for number in range(place, until):
        pictures[number].damaged = True
    made = await recorded(rig, [*pictures[:place], Loss(2, gap=False), *pictures[place:]])
    check(rig, pictures=300)
    assert not [gap for gap in rig.catalogue.gaps(rig.cameras[0]) if gap.cause is GapCause.LOSS]
    assert (made.health.lost_packets, made.health.losses) == (2, 1)
    assert made.health.damaged_frames == until - place


async def test_pictures_that_cannot_begin_are_waited_with_and_then_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They come all the time, but none is a key frame: nobody is told that the camera is silent."""
    monkeypatch.setattr(module, "SILENT_S", 0.3)
    monkeypatch.setattr(module, "CONNECTING_S", 0.0)
    monkeypatch.setattr(module, "NO_KEY_FRAME_S", 0.9)
    rig = make_rig(tmp_path)
    began = time.monotonic()

    class Waiting(Scripted):
        @property
        def passed_over(self) -> int:  # type: ignore[override]
            return round((time.monotonic() - began) * 25)

    made = await recorded(rig, [], make=lambda: Waiting([]), until=lambda made: bool(made.health.last_error))
    assert "sends no key frame" in made.health.last_error
    assert time.monotonic() - began > 1.1


async def test_a_silent_camera_that_takes_long_to_leave_is_looked_at_meanwhile(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its goodbye is waited for: silence that was told already is not told again, which would be an error."""
    monkeypatch.setattr(module, "SILENT_S", 0.1)
    monkeypatch.setattr(module, "CONNECTING_S", 0.0)
    left = 0

    class Slow(Scripted):
        async def batches(self) -> AsyncGenerator[list[Item], None]:
            nonlocal left
            try:
                await asyncio.sleep(3600)
                yield []
            finally:
                await asyncio.sleep(0.3)
                left += 1

    made = await recorded(make_rig(tmp_path), [], make=lambda: Slow([]), until=lambda _: left >= 2)
    assert "sends no picture" in made.health.last_error


async def test_our_own_standing_still_is_not_the_cameras_silence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "SILENT_S", 1.2)
    monkeypatch.setattr(module, "CONNECTING_S", 0.0)
    rig = make_rig(tmp_path)
    made = await recorded(
        rig, shown(), again=0.3, meanwhile=lambda *_: time.sleep(3), until=lambda made: made.health.frames > 305
    )
    assert made.health.last_error == ""
    assert made.health.connections == 1


async def test_burst_of_old_pictures_at_connect_is_of_the_past(tmp_path: Path) -> None:
    """Three seconds come at once; what comes then comes when it is shown."""
    rig = make_rig(tmp_path)
    began = shown(late_s=lambda number: max(0.0, 3.0 - number / 25))
    made = await recorded(rig, began)
    live, gaps = rig.catalogue.live(), rig.catalogue.gaps(rig.cameras[0])
    assert_tiled([item.span for item in live], [gap.span for gap in gaps])
    assert made.health.clock_jumps == 0
    assert live[-1].span.end_ns - START_NS == pytest.approx(12 * NS, abs=0.5 * NS)
    assert sum(item.frames for item in live) == 300


async def test_burst_of_old_pictures_after_a_gap_is_kept_for_what_follows(tmp_path: Path) -> None:
    """The key frame lies in time that is accounted for; without it the pictures after it would be lost as well."""
    rig = make_rig(tmp_path)
    pictures = [unit for number, unit in enumerate(shown(late_s=lambda number: max(0.0, 3.0 - number / 25)))]
    for number, unit in enumerate(pictures):
        unit.key = number == 0
    made = await recorded(rig, pictures)
    live, gaps = rig.catalogue.live(), rig.catalogue.gaps(rig.cameras[0])
    assert_tiled([item.span for item in live], [gap.span for gap in gaps])
    assert sum(item.frames for item in live) == 300
    assert made.health.clock_jumps == 0


async def test_packets_without_a_picture_are_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The second watch: something comes, but nothing that could be recorded."""
    monkeypatch.setattr(module, "SILENT_S", 0.5)
    monkeypatch.setattr(module, "CONNECTING_S", 0.0)
    rig = make_rig(tmp_path)
    made = await recorded(rig, [Loss(1)], again=0.05, until=lambda made: bool(made.health.last_error))
    assert "connected but sends no picture" in made.health.last_error
    assert GapCause.STALLED in {gap.cause for gap in rig.catalogue.gaps(rig.cameras[0])}


async def test_pictures_without_a_segment_are_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The third watch: pictures come, but no key frame with which a segment could begin."""
    monkeypatch.setattr(module, "NO_KEY_FRAME_S", 0.5)
    rig = make_rig(tmp_path)
    pictures = [unit for unit in shown() if not unit.key]
    made = await recorded(rig, pictures, again=0.05, until=lambda made: bool(made.health.last_error))
    assert "sends no key frame" in made.health.last_error
    assert rig.catalogue.live() == []


async def test_old_session_that_blocks_a_reconnect_is_waited_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A camera that serves one viewer, and still counts the one that was cut off: refused, tried again, recorded."""
    monkeypatch.setattr(module, "_FIRST_PAUSE_S", 0.05)
    refused: list[str] = []

    class Busy(Scripted):
        async def batches(self) -> AsyncGenerator[list[Item], None]:
            if len(refused) < 4:
                refused.append("453")
                raise CameraAwayError("Camera answers SETUP with 453.", "It may serve too many viewers already.")
            async for batch in super().batches():
                yield batch

    rig = make_rig(tmp_path)
    made = await recorded(rig, (), make=lambda: Busy(shown()), until=lambda made: made.health.frames >= 300)
    assert (made.health.connections, made.health.last_error) == (1, "")
    assert {gap.cause for gap in rig.catalogue.gaps(rig.cameras[0])} >= {GapCause.UNREACHABLE}
    live = rig.catalogue.live()
    assert_tiled([item.span for item in live], [gap.span for gap in rig.catalogue.gaps(rig.cameras[0])])


async def test_parameter_sets_that_change_between_key_frames_begin_a_segment_at_the_next(tmp_path: Path) -> None:
    rig = make_rig(tmp_path)
    pictures = shown()
    other = units(encoded(1.0, size=(640, 384)))[0].parameters
    for unit in pictures[160:]:
        unit.parameters = other
    await recorded(rig, pictures)
    live = rig.catalogue.live()
    sizes = [(item.codec.width, item.codec.height) for item in live]
    assert set(sizes) == {(320, 192), (640, 384)}
    assert sizes == sorted(sizes)
    first = next(item for item in live if item.codec.width == 640)
    assert first.fragments is not None
    assert first.fragments.key[0]
    assert sum(item.frames for item in live) >= 300 - 25

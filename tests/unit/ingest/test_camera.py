"""One camera over its time: clocks that jump, bursts, watches. Scripted pictures, a real recorder, no waiting."""

from __future__ import annotations

import asyncio
import contextlib
import random
import sys
import time
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from domain.footage import GapCause, SegmentState
from domain.ids import CameraId, SiteId
from domain.time import NS
from ingest import camera as module
from ingest.access_unit import AccessUnit, Loss, Rests
from ingest.camera import Camera
from ingest.errors import CameraAwayError
from ingest.media.clock import RecorderClock
from ingest.recording import CameraRecording
from ingest.settings import CameraSettings
from ingest.spool import SpoolFullError
from tests.support.cameras.video import encoded, units
from tests.support.footage.recording import Rig, assert_tiled, make_rig
from tests.support.footage.sealed import START_NS

Item = AccessUnit | Loss
HOURS = 5 * 3600


@cache
def film(seconds: float = 12.0) -> tuple[AccessUnit, ...]:
    """25 a second, a key frame every second."""
    return tuple(units(encoded(seconds)))


def shown(
    *, shift_s: Callable[[int], float] = lambda _: 0.0, late_s: Callable[[int], float] = lambda _: 0.0
) -> list[AccessUnit]:
    """The film as it comes from now on. shift_s: of the camera's clock; late_s: how late a picture comes."""
    began_ns = time.monotonic_ns()
    return [
        AccessUnit(
            unit.data,
            unit.pts_ticks + round(shift_s(number) * 90_000),
            unit.key,
            began_ns + number * NS // 25 + round(late_s(number) * 1e9),
            unit.parameters,
        )
        for number, unit in enumerate(film())
    ]


class Scripted:
    """Gives what it is told to, and then nothing more, connected. ``halfway``: is called with half of it recorded."""

    kind = "native"
    skew_ns: int | None = None
    passed_over = 0
    rests: Rests | None = None
    note = ""
    packets: Mapping[str, int] = {}

    def __init__(
        self, items: Sequence[Item], again: float | None = None, halfway: Callable[[], None] | None = None
    ) -> None:
        self._items, self._again, self._halfway = items, again, halfway

    def __getattr__(self, name: str) -> Any:
        raise AttributeError(name)

    async def batches(self) -> AsyncGenerator[list[Item], None]:
        for at in range(0, len(self._items), 5):
            if self._halfway is not None and at >= len(self._items) // 2:
                self._halfway()
                self._halfway = None
            yield list(self._items[at : at + 5])
            await asyncio.sleep(0)
        while self._again is not None:
            await asyncio.sleep(self._again)
            yield [self._items[-1]]
        await asyncio.sleep(3600)


async def recorded(
    rig: Rig,
    items: Sequence[Item],
    *,
    meanwhile: Callable[[Camera, RecorderClock], None] | None = None,
    until: Callable[[Camera], bool] | None = None,
    again: float | None = None,
    make: Callable[[], Scripted] | None = None,
    know: Callable[[Camera, RecorderClock], object] = lambda *_: None,
) -> Camera:
    settings = CameraSettings(
        camera_id=CameraId(uuid4()), site_id=SiteId(uuid4()), name="Hall", url="rtsp://127.0.0.1/", segment_s=3.0
    )
    clock = RecorderClock(time.monotonic_ns(), START_NS)
    async with rig.recorder() as recorder:
        made = Camera(
            settings,
            rig.camera(recorder),
            lambda _: (make or (lambda: Scripted(items, again, meanwhile and (lambda: meanwhile(made, clock)))))(),
            clock,
            random.Random(1),
        )  # type: ignore[arg-type,return-value]
        know(made, clock)
        task = asyncio.create_task(made.run())
        pictures = sum(isinstance(item, AccessUnit) for item in items)
        async with asyncio.timeout(20):
            while not (until(made) if until else made.health.frames >= pictures):
                await asyncio.sleep(0.005)
                made.tick()
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
        made.stop()
    return made


def check(rig: Rig, *, pictures: int, lost_at_most: int = 0) -> None:
    """Tiled; so many pictures are there; none takes longer than it should; no pictures are shown late for ever."""
    live, gaps = rig.catalogue.live(), rig.catalogue.gaps(rig.cameras[0])
    assert_tiled([item.span for item in live], [gap.span for gap in gaps])
    assert pictures - lost_at_most <= sum(item.frames for item in live) <= pictures
    for item in live:
        assert item.span.duration_ns <= item.frames * NS // 25 + NS // 10
        assert b"elst" not in rig.plaintext(item)[: item.init_size]


async def test_steady_camera_is_recorded_whole(tmp_path: Path) -> None:
    rig = make_rig(tmp_path)
    made = await recorded(rig, shown())
    check(rig, pictures=300)
    assert (made.health.clock_jumps, made.health.last_error) == (0, "")


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


async def test_time_recorded_under_a_clock_that_was_ahead_is_recorded_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Stopped in good order, the clock put right, started again: footage, in the next epoch, and a word about it."""
    rig = make_rig(tmp_path)
    now_ns = START_NS
    for ahead_s, epoch in ((3600, 1), (20, 2), (40, 2), (0, 3)):
        monkeypatch.setattr(sys.modules[__name__], "START_NS", now_ns + ahead_s * NS)
        before = set(rig.catalogue.segments)
        await recorded(rig, shown())
        new = [item for key, item in rig.catalogue.segments.items() if key not in before]
        assert sum(item.frames for item in new) == 300
        assert {item.epoch for item in new} == {epoch}
        assert min(item.span.start_ns for item in new) - now_ns == pytest.approx(ahead_s * NS, abs=0.2 * NS)
    assert caplog.text.count("from a clock that was ahead") == 2


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

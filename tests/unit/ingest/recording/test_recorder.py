"""A recorder against a store and a catalogue in memory: a camera's time is tiled, whatever happens on the way."""

from __future__ import annotations

import asyncio
import errno
import hashlib
import os
import time
import uuid
from dataclasses import replace
from pathlib import Path

import pytest

from domain.footage import GapCause
from domain.ids import CameraId
from domain.time import NS, Span
from ingest.recording import CameraRecording, publishing
from ingest.recording.errors import AccountedError
from ingest.spool import Spool, SpoolBusyError, SpoolError, SpoolFullError
from storage.keys import NoHourKeyError
from storage.sealed import object_name
from storage.sealed.format import TRAILER_SIZE, parse_trailer
from tests.support.footage.recording import CODEC, INIT, Rig, assert_tiled, break_at, make_rig, until


def causes(rig: Rig) -> list[tuple[GapCause, float]]:
    return [(gap.cause, gap.span.duration_ns / NS) for gap in rig.catalogue.gaps(rig.cameras[0])]


def left_in_spool(rig: Rig) -> list[str]:
    return sorted(path.name for path in (rig.directory / "spool" / "segments").iterdir())


async def abandoned(rig: Rig, fragments: int = 3, *, size: int = 20_000) -> None:
    """A recorder that dies with a segment open: nothing is told, nothing is finished."""
    with pytest.raises(KeyboardInterrupt):
        async with rig.recorder() as recorder:
            camera = rig.camera(recorder)
            camera.resume(rig.now_ns)
            rig.begin(camera)
            rig.hand_in(camera, fragments, size=size)
            raise KeyboardInterrupt


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


def assert_chained(rig: Rig) -> None:
    trailers = [data[-TRAILER_SIZE:] for _, data in sorted(rig.store.objects.items(), key=lambda item: item[0])]
    previous = bytes(32)
    for trailer in trailers:
        assert parse_trailer(trailer).previous_sha256 == previous
        previous = hashlib.sha256(trailer).digest()


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
            monkeypatch.setattr(camera._spool.positions, "save", _killed)
            camera.missing(rig.now_ns, GapCause.UNREACHABLE)
    monkeypatch.undo()
    rig.catalogue.away = False
    rig.now_ns += 3 * NS
    async with rig.recorder() as recorder:
        rig.camera(recorder).resume(rig.now_ns)
    rig.check()
    assert causes(rig) == [(GapCause.UNREACHABLE, 2.0), (GapCause.CRASH, 3.0)]


def _killed(*_: object) -> None:
    raise KeyboardInterrupt


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


async def recorded_with_gaps(rig: Rig, *, segments: int, fragments: int, size: int = 20_000) -> int:
    """As ingest does: what could not be written becomes a gap. How often it was refused."""
    errors = 0
    async with rig.recorder() as recorder:
        camera = rig.camera(recorder)
        camera.resume(rig.now_ns)
        for _ in range(segments):
            errors += await segment_or_gap(rig, camera, fragments, size)
        rig.stop(camera)
        await until(lambda: not left_in_spool(rig) or recorder.stats().pending == 0)
    return errors


async def segment_or_gap(rig: Rig, camera: CameraRecording, fragments: int, size: int) -> int:
    end_ns = rig.now_ns + fragments * NS // 2
    try:
        rig.segment(camera, fragments, size=size)
    except (SpoolError, SpoolFullError) as error:
        cause = GapCause.SPOOL_FULL if isinstance(error, SpoolFullError) else GapCause.STORAGE
        rig.now_ns = end_ns
        assert not camera.open
        camera.missing(rig.now_ns, cause)
        return 1
    finally:
        await asyncio.sleep(0.01)
    return 0


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
            broken.setattr(f"{module}.hit", lambda name: _killed() if name == place else None)
        await fill(rig, 12)
    rig.store.away = False
    rig.now_ns += NS
    async with rig.recorder() as recorder:
        rig.camera(recorder).resume(rig.now_ns)
    rig.check(lost_at_most=48)
    dropped = [span_s for cause, span_s in causes(rig) if cause is GapCause.SPOOL_FULL]
    assert dropped == [2.0]


async def test_disk_reserve_counts_as_full(rig: Rig) -> None:
    rig.more = {"reserve_bytes": 1 << 60}
    async with rig.recorder() as recorder:
        camera = rig.camera(recorder)
        camera.resume(rig.now_ns)
        with pytest.raises(SpoolFullError):
            rig.begin(camera)


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


async def test_database_away_stops_neither_recording_nor_storing(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ingest.recording.retry.FIRST_S", 0.02)
    monkeypatch.setattr("ingest.recording.retry.LONGEST_S", 0.1)
    rig.catalogue.away = True
    async with rig.recorder() as recorder:
        camera = rig.camera(recorder)
        camera.resume(rig.now_ns)
        for _ in range(5):
            rig.segment(camera)
            rig.now_ns += NS
            camera.missing(rig.now_ns, GapCause.UNREACHABLE)
        await until(lambda: recorder.stats().stored == 5)
        assert recorder.stats().uploaded == 0
        assert recorder.stats().oldest_pending_ns is not None
        rig.catalogue.away = False
        await until(lambda: recorder.stats().pending == 0 and not recorder.stats().gaps_waiting)
        assert recorder.stats().problems == ()
        rig.stop(camera)
    assert len(rig.check()) == 5


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


async def test_row_that_the_database_refuses_holds_up_nobody(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ingest.recording.retry.FIRST_S", 0.02)
    monkeypatch.setattr("ingest.recording.retry.LONGEST_S", 0.05)
    refused = rig.now_ns + 2 * NS
    rig.catalogue.refuse = lambda segment: segment.span.start_ns == refused
    async with rig.recorder() as recorder:
        camera = rig.camera(recorder)
        camera.resume(rig.now_ns)
        for _ in range(5):
            rig.segment(camera)
        rig.now_ns += NS
        camera.missing(rig.now_ns, GapCause.LOSS)
        await until(lambda: recorder.stats().uploaded == 4 and bool(rig.catalogue.gap_rows))
        assert any("refused" in problem["what"] for problem in recorder.stats().problems)
        rig.catalogue.refuse = lambda segment: False
        await until(lambda: recorder.stats().uploaded == 5)
        rig.stop(camera)
    assert len(rig.check()) == 5


async def test_gaps_that_the_database_refuses_hold_up_no_segment(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ingest.recording.retry.FIRST_S", 0.02)
    rig.catalogue.refuse_gaps = True
    async with rig.recorder(drain_s=0) as recorder:
        camera = rig.camera(recorder)
        camera.resume(rig.now_ns)
        for _ in range(4):
            rig.segment(camera)
            rig.now_ns += NS
            camera.missing(rig.now_ns, GapCause.LOSS)
        await until(lambda: recorder.stats().uploaded == 4)


async def test_detail_of_a_gap_loses_what_no_database_takes(rig: Rig) -> None:
    async with rig.recorder() as recorder:
        camera = rig.camera(recorder)
        camera.resume(rig.now_ns)
        rig.now_ns += NS
        camera.missing(rig.now_ns, GapCause.REFUSED, "no\x00 such\ud800 stream\u202e\n" + "x" * 1000)
        await until(lambda: bool(rig.catalogue.gap_rows))
    (gap,) = rig.catalogue.gaps(rig.cameras[0])
    assert gap.detail.startswith("no such streamx")
    assert len(gap.detail) <= 500


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

"""The spool: whatever a crash left is published, recovered, removed or set aside, and always the same."""

from __future__ import annotations

import errno
import os
import time
import uuid
from pathlib import Path

import pytest

from domain.time import NS, Span
from ingest.spool import (
    CameraPosition,
    DamagedSpoolFileError,
    Spool,
    SpoolBusyError,
    SpoolError,
    SpoolFullError,
)
from runtime.settings import SpoolSettings
from tests.support.footage.sealed import START_NS
from tests.support.footage.spool_bench import Bench


def test_files_found_at_a_start_are_sorted_and_counted_and_leftovers_cleared(bench: Bench) -> None:
    made = [bench.whole(START_NS + number * 10 * NS)[0] for number in (2, 0, 1)]
    stored = bench.whole(START_NS + 40 * NS)[0]
    bench.spool.note_stored(stored)
    stored.place.ready.unlink()  # as after a crash in the middle of remove()
    (bench.spool.layout.segments / "notes.txt").write_text("somebody's")
    bench.reopen()
    waiting = bench.spool.waiting()
    assert [item.place for item in waiting] == sorted(item.place for item in made)
    assert bench.spool.used_bytes == sum(item.size_bytes for item in waiting)
    assert not stored.place.metadata.exists()
    assert (bench.spool.layout.segments / "notes.txt").exists()


def test_every_step_is_counted(bench: Bench) -> None:
    def on_disk() -> int:
        return sum(path.stat().st_size for path in bench.spool.layout.segments.iterdir())

    segment = bench.begin()
    assert bench.spool.used_bytes == on_disk()
    bench.feed(segment, [20_000] * 3)
    assert bench.spool.used_bytes == on_disk()
    done = segment.finish(START_NS + 2 * NS, bench.identity, CameraPosition())
    pending = bench.spool.publish(done.file, bench.world.camera_id, done.position)
    assert bench.spool.used_bytes == on_disk()
    torn = bench.begin(START_NS + 10 * NS)
    bench.feed(torn, [20_000] * 3)
    bench.spool.abandon(torn.file)
    (place,) = bench.spool.torn()
    bench.spool.adopt(bench.spool.recover(place, bench.identity))
    assert bench.spool.used_bytes == on_disk()
    empty = bench.begin(START_NS + 20 * NS)
    bench.spool.discard(empty.file)
    assert bench.spool.used_bytes == on_disk()
    bench.spool.remove(pending)
    assert bench.spool.used_bytes == on_disk() > 0


def test_epoch_outlives_a_segment_and_one_that_was_torn(bench: Bench) -> None:
    """Otherwise footage of time that is recorded again would hide behind what was there before."""
    segment = bench.begin()
    bench.feed(segment, [20_000] * 3)
    done = segment.finish(START_NS + 2 * NS, bench.identity, CameraPosition(epoch=7))
    bench.spool.publish(done.file, bench.world.camera_id, done.position)
    assert bench.spool.positions.load(bench.world.camera_id).epoch == 7
    torn = bench.begin(START_NS + 10 * NS)
    bench.feed(torn, [20_000] * 3)
    bench.spool.abandon(torn.file)
    (place,) = bench.spool.torn()
    bench.spool.adopt(bench.spool.recover(place, bench.identity))
    position = bench.spool.positions.load(bench.world.camera_id)
    assert (position.epoch, (position.end_ns or 0) > START_NS + 10 * NS) == (7, True)


def test_lock_is_given_back_when_the_spool_cannot_be_opened(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(SpoolBusyError):
        Spool(bench.settings())
    other = SpoolSettings(directory=bench.directory / "other", max_bytes=1 << 20)
    with monkeypatch.context() as broken:

        def refuse(*_: object, **__: object) -> None:
            raise OSError(errno.EIO, "broken")

        broken.setattr("ingest.spool.spool.GapJournal", refuse)
        with pytest.raises(SpoolError):
            Spool(other)
    Spool(other).close()


def test_facts_that_cannot_be_read_are_told_and_the_file_still_says_whose_it_is(bench: Bench) -> None:
    pending, _ = bench.whole()
    pending.place.metadata.write_bytes(b"rubbish")
    with pytest.raises(DamagedSpoolFileError):
        bench.spool.metadata_of(pending)
    assert bench.spool.span_of(pending) == (bench.world.camera_id, Span(START_NS, START_NS + 2 * NS))
    bench.spool.set_aside(pending)
    assert bench.spool.damaged_count() == 1
    assert bench.spool.used_bytes == 0
    for rubbish in (b"", b"x" * 1000):
        pending.place.ready.write_bytes(rubbish)
        assert bench.spool.span_of(pending) is None


def test_directories_are_closed_to_others(bench: Bench) -> None:
    pending, _ = bench.whole()
    for path in (bench.directory, bench.spool.layout.segments, bench.spool.layout.cameras, bench.spool.layout.damaged):
        assert path.stat().st_mode & 0o077 == 0
    for path in (pending.place.ready, pending.place.metadata, bench.spool.layout.gaps):
        assert path.stat().st_mode & 0o077 == 0


def test_names_that_are_not_ours_are_not_touched(bench: Bench) -> None:
    for name in ("x.part", "1-not-a-uuid.part", f"1-{uuid.uuid4()}.other", f"-{uuid.uuid4()}.part"):
        (bench.spool.layout.segments / name).write_bytes(b"x" * 1000)
    assert bench.spool.torn() == []
    assert bench.spool.waiting() == []
    assert len(list(bench.spool.layout.segments.iterdir())) == 4


def test_disk_is_asked_rarely_and_always_before_it_is_called_full(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = 0
    free_blocks = 1000
    real = os.statvfs(bench.directory)

    def statvfs(path: object) -> os.statvfs_result:
        nonlocal asked
        asked += 1
        fields = list(real)
        fields[1], fields[4] = 4096, free_blocks  # f_frsize, f_bavail
        return os.statvfs_result(fields)

    monkeypatch.setattr(os, "statvfs", statvfs)
    monkeypatch.setattr(time, "monotonic", lambda: 1000.0)
    for _ in range(10):
        bench.spool.check_room(4096 * 50)
    assert asked == 1
    free_blocks = 600  # what was asked for is written meanwhile
    for _ in range(20):
        bench.spool.check_room(4096 * 50)  # never more than the 600 from here on, as far as the kernel says
    assert asked > 1
    free_blocks = 49
    with pytest.raises(SpoolFullError):
        for _ in range(20):
            bench.spool.check_room(4096 * 50)


def test_emptied_files_are_used_again(bench: Bench) -> None:
    pending, _ = bench.whole()
    inodes = {path.stat().st_ino for path in (pending.place.ready, pending.place.metadata)}
    bench.spool.remove(pending)
    spares = list(bench.spool.layout.spare.iterdir())
    assert {path.stat().st_ino for path in spares} == inodes
    assert [path.stat().st_size for path in spares] == [0, 0]
    assert not list(bench.spool.layout.segments.iterdir())
    again, sealed = bench.whole(START_NS + 10 * NS)
    assert {path.stat().st_ino for path in (again.place.ready, again.place.metadata)} == inodes
    assert not list(bench.spool.layout.spare.iterdir())
    assert bench.opened(sealed)
    bench.spool.remove(again)
    bench.spool.remove(again)  # again: nothing


def test_spares_of_an_earlier_process_are_deleted(bench: Bench) -> None:
    """It may have died before it emptied them."""
    left = bench.spool.layout.spare / "1"
    left.write_bytes(b"sealed")
    bench.reopen()
    assert not left.exists()


@pytest.mark.parametrize("error", [errno.ENOSPC, errno.EROFS, errno.ENOENT])
def test_what_cannot_be_kept_is_deleted(bench: Bench, monkeypatch: pytest.MonkeyPatch, error: int) -> None:
    """A full disk has no room for another name; a spare/ that somebody deleted takes none."""
    pending, _ = bench.whole()

    def rename(path: Path, target: Path) -> None:
        raise OSError(error, os.strerror(error))

    monkeypatch.setattr(Path, "rename", rename)
    bench.spool.remove(pending)
    assert not list(bench.spool.layout.segments.iterdir())
    assert not list(bench.spool.layout.spare.iterdir())


@pytest.mark.parametrize("what", ["stored", "dropped"])
def test_note_is_appended_to_the_metadata_and_a_disk_that_refuses_it_is_reported(bench: Bench, what: str) -> None:
    pending, _ = bench.whole()
    before = pending.place.metadata.read_bytes()
    note = bench.spool.note_stored if what == "stored" else bench.spool.note_dropped
    note(pending)
    assert pending.place.metadata.read_bytes().startswith(before)
    assert len(pending.place.metadata.read_bytes()) > len(before)
    found = bench.spool.metadata_of(pending)
    assert (found.stored, found.dropped) == (what == "stored", what == "dropped")
    pending.place.metadata.unlink()
    with pytest.raises(SpoolError, match="cannot be written or read"):
        note(pending)
    assert not pending.place.metadata.exists()  # nothing is made up in its place


def test_torn_files_are_found_without_reading_the_directory_again(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It may hold weeks of footage while the store is away, and is asked for torn files every few seconds."""
    left = bench.begin()
    bench.feed(left, [20_000] * 3)
    bench.reopen()
    (found,) = bench.spool.torn()
    assert found == left.file.place
    monkeypatch.setattr(Path, "glob", None)
    monkeypatch.setattr(os, "scandir", None)
    monkeypatch.setattr(os, "listdir", None)
    torn = bench.begin(START_NS + 10 * NS)
    bench.feed(torn, [20_000] * 3)
    assert bench.spool.torn() == [found]  # the other is being written
    bench.spool.abandon(torn.file)
    assert bench.spool.torn() == [found, torn.file.place]
    for place in (found, torn.file.place):
        bench.spool.adopt(bench.spool.recover(place, bench.identity))
    assert bench.spool.torn() == []

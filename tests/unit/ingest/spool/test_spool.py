"""The spool: whatever a crash left is published, recovered, removed or set aside, and always the same."""

from __future__ import annotations

import errno
import hashlib
import os
import random
import shutil
import time
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from domain.time import NS, Span
from ingest.recording.segment import OpenSegment
from ingest.spool import (
    Beginning,
    CameraPosition,
    DamagedSpoolFileError,
    Pending,
    RecoveryOutcome,
    SegmentFile,
    Spool,
    SpoolBusyError,
    SpoolError,
    SpoolFullError,
)
from ingest.spool.metadata import parse_journal
from ingest.spool.records import unpacked
from runtime.settings import SpoolSettings
from storage.keys import RecorderIdentity
from storage.sealed import HEADER_SIZE, OVERHEAD, Sealer
from storage.sealed.format import TAG_SIZE, TRAILER_SIZE, parse_header
from tests.support.footage.fragments import FRAGMENT_NS, piece
from tests.support.footage.recording import CODEC, INIT, break_at
from tests.support.footage.sealed import START_NS, World, new_sealer, new_world, open_object

CHUNK = 1 << 14


@dataclass
class Bench:
    spool: Spool
    world: World
    identity: RecorderIdentity
    directory: Path

    def sealer(self, start_ns: int = START_NS) -> Sealer:
        return new_sealer(self.world, start_ns=start_ns)

    def begin(self, start_ns: int = START_NS) -> OpenSegment:
        sealer = self.sealer(start_ns)
        core = parse_header(sealer.header).core
        beginning = Beginning(
            site_id=core.site_id,
            camera_id=core.camera_id,
            segment_id=core.segment_id,
            start_ns=start_ns,
            codec=CODEC,
            init_size=len(INIT),
            epoch=1,
        )
        file = self.spool.begin(beginning, sealer.header, expected_bytes=100_000)
        return OpenSegment(sealer, file, start_ns, INIT, self.spool.grown)

    def feed(self, segment: OpenSegment, sizes: list[int]) -> list[bytes]:
        dice = random.Random(len(sizes))
        made = []
        for number, size in enumerate(sizes):
            at_ns = segment.start_ns + number * FRAGMENT_NS
            item = piece(dice, segment.start_ns, at_ns, key=number == 0, size=size)
            segment.append([item.data], item.start_ns, item.end_ns, key=item.key, frames=3, mono_ns=0)
            made.append(item.data)
        return made

    def whole(self, start_ns: int = START_NS) -> tuple[Pending, bytes]:
        segment = self.begin(start_ns)
        self.feed(segment, [20_000] * 4)
        done = segment.finish(start_ns + 2 * NS, self.identity, CameraPosition())
        pending = self.spool.publish(done.file, self.world.camera_id, done.position)
        return pending, pending.place.ready.read_bytes()

    def opened(self, data: bytes) -> bytes:
        return open_object(data, self.world.hour_private, {self.identity.recorder_id: self.identity.public_key})

    def reopen(self) -> None:
        self.spool.close()
        self.spool = Spool(self.settings())

    def settings(self) -> SpoolSettings:
        return SpoolSettings(directory=self.directory, max_bytes=1 << 30, reserve_bytes=0)


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    made = Bench(None, new_world(), RecorderIdentity.create(bytes(32)), tmp_path / "spool")  # type: ignore[arg-type]
    made.spool = Spool(made.settings())
    yield made
    made.spool.close()


def test_whole_file_whose_facts_lost_records_is_published_without_an_index(bench: Bench) -> None:
    for number, left in enumerate((0, 1, 3, 4)):
        segment = bench.begin(START_NS + number * 10 * NS)
        bench.feed(segment, [30_000] * 4)
        place = segment.file.place
        segment.finish(segment.start_ns + 2 * NS, bench.identity, CameraPosition())
        bench.spool.abandon(segment.file)
        records = [end for _, end in unpacked(place.metadata.read_bytes())]
        place.metadata.write_bytes(place.metadata.read_bytes()[: records[left]])
        assert bench.spool.recover(place, bench.identity).outcome is RecoveryOutcome.PUBLISHED
        metadata = parse_journal(place.metadata.read_bytes())
        assert metadata is not None
        assert len(metadata.fragments) == (4 if left == 4 else 0)
        assert (metadata.index() is None) == (left != 4)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_crash_at_any_byte_of_either_file_leaves_what_can_be_opened(bench: Bench, data: st.DataObject) -> None:
    """Cut the sealed file and the metadata anywhere: what is kept opens, and holds whole fragments only."""
    sizes = data.draw(st.lists(st.integers(200, 60_000), min_size=1, max_size=6))
    segment = bench.begin()
    handed_in = bench.feed(segment, sizes)
    place = segment.file.place
    if data.draw(st.booleans()):
        segment.finish(START_NS + len(sizes) * FRAGMENT_NS, bench.identity, CameraPosition())
    bench.spool.abandon(segment.file)
    whole_sealed, whole_facts = place.part.read_bytes(), place.metadata.read_bytes()
    cut = data.draw(st.integers(0, len(whole_sealed)))
    facts_cut = data.draw(st.sampled_from([len(whole_facts), data.draw(st.integers(0, len(whole_facts)))]))
    place.part.write_bytes(whole_sealed[:cut])
    place.metadata.write_bytes(whole_facts[:facts_cut])
    before = bench.spool.positions.load(bench.world.camera_id)

    result = bench.spool.recover(place, bench.identity)

    if result.outcome in (RecoveryOutcome.EMPTY, RecoveryOutcome.DAMAGED):
        assert not place.part.exists()
        assert not place.metadata.exists()
        assert bench.spool.positions.load(bench.world.camera_id) == before
        if result.outcome is RecoveryOutcome.DAMAGED:
            assert (bench.spool.layout.damaged / place.part.name).read_bytes() == whole_sealed[:cut]
        else:
            full = max(0, cut - HEADER_SIZE) // (CHUNK + TAG_SIZE) * CHUNK
            known = parse_journal(whole_facts[:facts_cut])
            held = [f for f in known.fragments if f.offset + f.size <= full] if known else []
            assert cut < OVERHEAD or (known is not None and not held)
        return
    sealed = place.ready.read_bytes()
    metadata = parse_journal(place.metadata.read_bytes())
    assert metadata is not None
    assert metadata.ending is not None
    assert metadata.ending.size_bytes == len(sealed)
    assert metadata.ending.sha256 == hashlib.sha256(sealed).digest()
    plain = bench.opened(sealed)
    found = [plain[f.offset : f.offset + f.size] for f in metadata.fragments]
    assert found == handed_in[: len(found)]
    if result.outcome is RecoveryOutcome.PUBLISHED:
        assert found == handed_in or (not found and metadata.index() is None)  # all is there: the boxes tell
    else:
        assert found
    assert result.span == Span(START_NS, metadata.ending.end_ns)
    if result.outcome is RecoveryOutcome.RECOVERED:
        assert metadata.ending.end_ns == metadata.fragments[-1].end_ns
    assert bench.spool.positions.load(bench.world.camera_id).end_ns == metadata.ending.end_ns
    place.ready.unlink()
    place.metadata.unlink()
    shutil.rmtree(bench.spool.layout.cameras)
    bench.spool.layout.cameras.mkdir()


@pytest.mark.parametrize(
    "place", ["spool.recover.cut", "spool.recover.trailer", "spool.recover.metadata", "spool.recover.position"]
)
def test_mending_that_the_disk_refuses_is_postponed_and_says_what_it_will_be(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    segment = bench.begin()
    bench.feed(segment, [30_000] * 4)
    bench.spool.abandon(segment.file)
    with monkeypatch.context() as broken:
        break_at(broken, f"{place}=full")
        for _ in range(1 if place == "spool.recover.trailer" else 3):  # once signed it is whole
            postponed = bench.spool.recover(segment.file.place, bench.identity)
            assert postponed.outcome is RecoveryOutcome.POSTPONED
            assert bench.spool.adopt(postponed) is None
    assert bench.spool.accounted(bench.world.camera_id) == [postponed.span]
    result = bench.spool.recover(segment.file.place, bench.identity)
    assert result.outcome is RecoveryOutcome.RECOVERED
    assert result.span == postponed.span
    assert bench.spool.accounted(bench.world.camera_id) == []
    pending = bench.spool.adopt(result)
    assert pending is not None
    assert bench.opened(pending.place.ready.read_bytes())


def test_older_file_that_is_mended_late_does_not_set_the_mark_back(bench: Bench) -> None:
    old = bench.begin()
    bench.feed(old, [30_000] * 4)
    bench.spool.abandon(old.file)
    later = CameraPosition(trailer_sha256=b"\x07" * 32, end_ns=START_NS + 60 * NS)
    pending, _ = bench.whole(START_NS + 30 * NS)
    bench.spool.positions.save(bench.world.camera_id, later)
    assert bench.spool.recover(old.file.place, bench.identity).outcome is RecoveryOutcome.RECOVERED
    position = bench.spool.positions.load(bench.world.camera_id)
    assert position.end_ns == later.end_ns
    assert position.trailer_sha256 != later.trailer_sha256  # signed after the other: the chain goes on from it
    assert [item.place.start_ns for item in bench.spool.waiting()] == [START_NS, pending.place.start_ns]


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


@pytest.mark.parametrize("place", ["spool.begin.metadata", "spool.begin.header"])
def test_beginning_that_the_disk_refuses_leaves_nothing(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    descriptors = len(list(Path("/proc/self/fd").iterdir()))
    break_at(monkeypatch, f"{place}=full")
    for _ in range(3):
        with pytest.raises(SpoolError):
            bench.begin()
    assert list(bench.spool.layout.segments.iterdir()) == []
    assert bench.spool.used_bytes == 0
    assert len(list(Path("/proc/self/fd").iterdir())) == descriptors


def test_closing_twice_closes_nobody_elses_descriptor(bench: Bench, tmp_path: Path) -> None:
    segment = bench.begin()
    segment.file.close()
    with (tmp_path / "one").open("w") as one, (tmp_path / "two").open("w") as two:  # take the numbers over
        segment.file.close()
        one.write("still open")
        two.write("still open")
    assert (tmp_path / "two").read_text() == "still open"


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


def test_recorder_with_another_key_does_not_take_a_file_for_finished(bench: Bench) -> None:
    """It cannot vouch for the last chunk: what it signs is the full chunks."""
    segment = bench.begin()
    bench.feed(segment, [20_000] * 4)
    segment.finish(START_NS + 2 * NS, bench.identity, CameraPosition())
    bench.spool.abandon(segment.file)
    length = segment.file.place.part.stat().st_size
    result = bench.spool.recover(segment.file.place, RecorderIdentity.create(bytes(32)))
    assert result.outcome is RecoveryOutcome.RECOVERED
    assert result.place.ready.stat().st_size < length


def test_finished_file_that_rotted_before_it_was_published_is_cut_to_its_full_chunks(bench: Bench) -> None:
    segment = bench.begin()
    bench.feed(segment, [20_000] * 4)
    segment.finish(START_NS + 2 * NS, bench.identity, CameraPosition())
    bench.spool.abandon(segment.file)
    path = segment.file.place.part
    data = bytearray(path.read_bytes())
    data[-TRAILER_SIZE - 1] ^= 1
    path.write_bytes(data)
    result = bench.spool.recover(segment.file.place, bench.identity)
    assert result.outcome is RecoveryOutcome.RECOVERED
    assert bench.opened(result.place.ready.read_bytes())


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


def test_segment_file_methods_after_close_refuse(bench: Bench) -> None:
    segment = bench.begin()
    file = segment.file
    assert isinstance(file, SegmentFile)
    bench.spool.abandon(file)
    with pytest.raises(OSError, match="Bad file descriptor"):
        file.append(None, [b"x"])


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


@pytest.mark.parametrize("which", ["both", "part", "metadata"])
def test_bytes_of_another_segment_are_set_aside(bench: Bench, which: str) -> None:
    pending, sealed = bench.whole()
    segment = bench.begin(START_NS + 10 * NS)
    bench.feed(segment, [9000] * 8)
    bench.spool.abandon(segment.file)
    if which != "metadata":
        segment.file.place.part.write_bytes(sealed)
    if which != "part":
        segment.file.place.metadata.write_bytes(pending.place.metadata.read_bytes())
    assert bench.spool.recover(segment.file.place, bench.identity).outcome is RecoveryOutcome.DAMAGED


def test_facts_of_another_segment_are_not_believed_of_a_whole_one(bench: Bench) -> None:
    first, _ = bench.whole()
    second, _ = bench.whole(START_NS + 10 * NS)
    second.place.metadata.write_bytes(first.place.metadata.read_bytes())
    with pytest.raises(DamagedSpoolFileError):
        bench.spool.metadata_of(second)


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

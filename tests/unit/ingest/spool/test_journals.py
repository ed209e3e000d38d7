"""The spool's journals: torn, damaged, full. What was durable is found again, what was not is not made up."""

from __future__ import annotations

import json
import os
import uuid
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.footage import Codec, Gap, GapCause
from domain.ids import CameraId, RecorderId, SegmentId, SiteId
from domain.time import Span
from ingest.spool import Beginning, CameraPosition, Ending, Fragment
from ingest.spool import gaps as gaps_module
from ingest.spool.gaps import GapJournal
from ingest.spool.metadata import (
    begin_record,
    dropped_record,
    end_record,
    fragment_record,
    parse_journal,
    recovered_journal,
    stored_record,
)
from ingest.spool.positions import CameraPositions
from ingest.spool.records import packed, unpacked, whole_records
from tests.support.footage.recording import break_at

CAMERA = CameraId(uuid.uuid4())
BEGINNING = Beginning(
    site_id=SiteId(uuid.uuid4()),
    camera_id=CAMERA,
    segment_id=SegmentId(uuid.uuid4()),
    start_ns=1_790_000_000_000_000_000,
    codec=Codec(name="h264", mime="avc1.64001f", width=1920, height=1080),
    init_size=700,
    epoch=3,
)
ENDING = Ending(
    end_ns=1_790_000_010_000_000_000,
    size_bytes=5_000_000,
    sha256=bytes(range(32)),
    header=bytes(210),
    recovered=False,
    recorder_id=RecorderId(uuid.uuid4()),
)
FRAGMENTS = [
    Fragment(start_ms=i * 500, offset=700 + i * 1000, size=1000, frames=12, key=i == 0, end_ns=i + 1) for i in range(20)
]


def gap(number: int, detail: str = "") -> Gap:
    return Gap(camera_id=CAMERA, span=Span(number, number + 1), cause=GapCause.LOSS, detail=detail)


# -- Records


@given(st.lists(st.binary(min_size=1, max_size=50), max_size=8), st.integers(0, 400))
def test_records_are_found_up_to_where_they_are_whole(payloads: list[bytes], cut: int) -> None:
    data = b"".join(map(packed, payloads))
    ends = [sum(len(packed(item)) for item in payloads[: n + 1]) for n in range(len(payloads))]
    whole = [item for item, end in zip(payloads, ends, strict=True) if end <= cut]
    assert [payload for payload, _ in unpacked(data[:cut])] == whole
    found, at = whole_records(data[:cut])
    assert (found, at) == (whole, sum(len(packed(item)) for item in whole))


@given(st.lists(st.binary(min_size=1, max_size=20), min_size=1, max_size=5), st.data())
def test_records_end_at_the_first_that_is_damaged(payloads: list[bytes], data: st.DataObject) -> None:
    whole = bytearray(b"".join(map(packed, payloads)))
    at = data.draw(st.integers(0, len(whole) - 1))
    whole[at] ^= 1 << data.draw(st.integers(0, 7))
    found, _ = whole_records(bytes(whole))
    assert len(found) < len(payloads)
    assert found == payloads[: len(found)]


def test_records_of_zeros_are_none() -> None:
    """What a preallocated file is filled with after a power cut."""
    assert whole_records(bytes(4096)) == ([], 0)


# -- SegmentMetadata


def test_facts_come_back_as_written() -> None:
    data = recovered_journal(BEGINNING, FRAGMENTS, ENDING)
    metadata = parse_journal(data)
    assert metadata is not None
    assert (metadata.beginning, list(metadata.fragments), metadata.ending) == (BEGINNING, FRAGMENTS, ENDING)
    assert (metadata.stored, metadata.dropped) == (False, False)
    after = parse_journal(data + stored_record() + dropped_record())
    assert after is not None
    assert (after.stored, after.dropped) == (True, True)
    assert metadata.index().offset == tuple(item.offset for item in FRAGMENTS)


@given(st.integers(0, 3000))
def test_facts_cut_anywhere_are_a_prefix_or_nothing(cut: int) -> None:
    data = begin_record(BEGINNING) + b"".join(map(fragment_record, FRAGMENTS)) + end_record(ENDING)
    metadata = parse_journal(data[:cut])
    if metadata is None:
        assert cut < len(begin_record(BEGINNING))
        return
    assert list(metadata.fragments) == FRAGMENTS[: len(metadata.fragments)]
    assert (metadata.ending is not None) == (cut >= len(data))


# -- CameraPositions


def test_mark_comes_back_and_the_newest_counts(tmp_path: Path) -> None:
    positions = CameraPositions(tmp_path, sync=True)
    assert positions.load(CAMERA) == CameraPosition()
    for number in range(5):
        position = CameraPosition(
            trailer_sha256=bytes([number] * 32), end_ns=number, orderly=bool(number % 2), epoch=number % 3
        )
        positions.save(CAMERA, position)
        assert CameraPositions(tmp_path, sync=False).load(CAMERA) == position
    assert positions.load(CameraId(uuid.uuid4())) == CameraPosition()


def test_mark_that_was_torn_while_written_leaves_the_one_before(tmp_path: Path) -> None:
    positions = CameraPositions(tmp_path, sync=False)
    before, after = CameraPosition(end_ns=1), CameraPosition(end_ns=2)
    positions.save(CAMERA, before)
    path = next(tmp_path.iterdir())
    old = path.read_bytes()
    positions.save(CAMERA, after)
    new = path.read_bytes()
    changed = [at for at in range(len(old)) if old[at] != new[at]]
    for upto in range(min(changed), max(changed) + 1, 7):
        path.write_bytes(new[:upto] + old[upto:])
        assert positions.load(CAMERA) in (before, after)
    path.write_bytes(new[: max(changed)] + old[max(changed) :])
    assert positions.load(CAMERA) == before
    positions.save(CAMERA, after)
    assert positions.load(CAMERA) == after


def test_mark_is_rewritten_in_place_so_that_a_full_disk_takes_it(tmp_path: Path) -> None:
    positions = CameraPositions(tmp_path, sync=False)
    positions.save(CAMERA, CameraPosition(end_ns=1))
    path = next(tmp_path.iterdir())
    inode, size = path.stat().st_ino, path.stat().st_size
    for number in range(10):
        positions.save(CAMERA, CameraPosition(end_ns=number))
    assert (path.stat().st_ino, path.stat().st_size) == (inode, size)
    assert [item.name for item in tmp_path.iterdir()] == [path.name]


def test_mark_of_the_first_format_is_still_read(tmp_path: Path) -> None:
    body = {"trailer_sha256": "ab" * 32, "end_ns": 7, "orderly": True}
    (tmp_path / f"{CAMERA}.position").write_bytes(packed(json.dumps(body).encode()))
    positions = CameraPositions(tmp_path, sync=False)
    assert positions.load(CAMERA) == CameraPosition(trailer_sha256=b"\xab" * 32, end_ns=7, orderly=True)
    positions.save(CAMERA, CameraPosition(end_ns=8))
    assert positions.load(CAMERA) == CameraPosition(end_ns=8)


# -- Gaps


def drained(journal: GapJournal) -> list[Gap]:
    found = []
    while not journal.empty:
        batch = journal.batch()
        found += batch.gaps
        journal.committed(batch)
    return found


def test_gaps_survive_a_restart_until_they_are_committed(tmp_path: Path) -> None:
    journal = GapJournal(tmp_path / "gaps", sync=True)
    for number in range(10):
        journal.append(gap(number, "why"))
    journal.close()
    journal = GapJournal(tmp_path / "gaps", sync=False)
    assert journal.found(CAMERA) == [Span(number, number + 1) for number in range(10)]
    assert journal.found(CameraId(uuid.uuid4())) == []
    assert drained(journal) == [gap(number, "why") for number in range(10)]
    assert (tmp_path / "gaps").stat().st_size == 0
    journal.append(gap(11))
    journal.close()
    assert drained(GapJournal(tmp_path / "gaps", sync=False)) == [gap(11)]


def test_gap_added_while_others_are_committed_is_not_forgotten(tmp_path: Path) -> None:
    journal = GapJournal(tmp_path / "gaps", sync=False)
    journal.append(gap(1))
    batch = journal.batch()
    journal.append(gap(2))
    journal.committed(batch)
    assert drained(journal) == [gap(2)]


def test_gaps_in_number_are_given_in_batches_and_the_file_is_shortened(tmp_path: Path) -> None:
    journal = GapJournal(tmp_path / "gaps", sync=False)
    for number in range(9000):
        journal.append(gap(number, "x" * 20))
    size = (tmp_path / "gaps").stat().st_size
    found: list[Gap] = []
    smallest = size
    while not journal.empty:
        batch = journal.batch()
        assert len(batch.gaps) < 2000
        found += batch.gaps
        journal.committed(batch)
        if len(found) == 4500:
            journal.append(gap(9000))
        smallest = min(smallest, journal.size_bytes) or smallest
    assert found[:9000] == [gap(number, "x" * 20) for number in range(9000)]
    assert smallest < size


@pytest.mark.parametrize("torn", [1, 5, 9, 30])
def test_torn_tail_is_cut_off_and_written_over(tmp_path: Path, torn: int) -> None:
    path = tmp_path / "gaps"
    journal = GapJournal(path, sync=False)
    journal.append(gap(1))
    journal.append(gap(2))
    journal.close()
    data = path.read_bytes()
    path.write_bytes(data[:-torn])
    journal = GapJournal(path, sync=False)
    journal.append(gap(3))
    assert drained(journal) == [gap(1), gap(3)]


def test_gaps_that_the_disk_refuses_are_given_from_memory_and_written_when_it_accepts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    journal = GapJournal(tmp_path / "gaps", sync=False)
    journal.append(gap(0))
    with monkeypatch.context() as broken:
        break_at(broken, "spool.gap.write=full")
        for number in range(1, 4):
            journal.append(gap(number))
        assert not journal.empty
        batch = journal.batch()
        assert batch.gaps == [gap(0)]
        journal.committed(batch)
        batch = journal.batch()
        assert batch.gaps == [gap(1), gap(2), gap(3)]
        journal.append(gap(4))
        journal.committed(batch)
        assert not journal.empty
    assert journal.flush()
    assert journal.size_bytes == (tmp_path / "gaps").stat().st_size > 0
    assert drained(journal) == [gap(4)]


def test_write_that_failed_halfway_leaves_no_rubbish(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    journal = GapJournal(tmp_path / "gaps", sync=False)
    journal.append(gap(1))

    def half(descriptor: int, pieces: list[bytes]) -> int:
        os.write(descriptor, pieces[0][:10])
        raise OSError(28, "full")

    with monkeypatch.context() as broken:
        broken.setattr(gaps_module, "write_all", half)
        journal.append(gap(2))
        journal.append(gap(3))
    journal.append(gap(4))
    journal.close()
    assert drained(GapJournal(tmp_path / "gaps", sync=False)) == [gap(1), gap(2), gap(3), gap(4)]


def test_memory_for_gaps_is_bounded_and_what_overflows_is_counted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gaps_module, "_WAITING_MAX", 50)
    break_at(monkeypatch, "spool.gap.write=full")
    journal = GapJournal(tmp_path / "gaps", sync=False)
    for number in range(60):
        journal.append(gap(number))
    assert journal.dropped == 10
    assert drained(journal) == [gap(number) for number in range(10, 60)]


def test_overflow_while_a_batch_is_committed_loses_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gaps_module, "_WAITING_MAX", 5)
    break_at(monkeypatch, "spool.gap.write=full")
    journal = GapJournal(tmp_path / "gaps", sync=False)
    for number in range(5):
        journal.append(gap(number))
    batch = journal.batch()
    for number in range(5, 8):
        journal.append(gap(number))  # pushes out three that are just being committed
    journal.committed(batch)
    assert drained(journal) == [gap(number) for number in range(5, 8)]


def test_room_for_gaps_is_kept_on_the_disk(tmp_path: Path) -> None:
    GapJournal(tmp_path / "gaps", sync=False).append(gap(1))
    assert (tmp_path / "gaps").stat().st_blocks * 512 >= 256 * 1024

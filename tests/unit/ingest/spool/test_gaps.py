"""The journal of gaps: nothing is forgotten, whatever the disk does, and memory is bounded."""

from __future__ import annotations

import os
import uuid
from pathlib import Path

import pytest

from domain.footage import Gap, GapCause
from domain.ids import CameraId
from domain.time import Span
from ingest.spool import gaps as gaps_module
from ingest.spool.gaps import GapJournal
from tests.support.footage.recording import break_at

CAMERA = CameraId(uuid.uuid4())


def gap(number: int, detail: str = "") -> Gap:
    return Gap(camera_id=CAMERA, span=Span(number, number + 1), cause=GapCause.LOSS, detail=detail)


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

"""Emptied files for the next segments: empty, bounded in number, and none of an earlier process."""

from __future__ import annotations

from pathlib import Path

import pytest

from ingest.spool.spares import Spares


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "spare").mkdir()
    return tmp_path / "spare"


def full(path: Path) -> Path:
    path.write_bytes(b"footage")
    return path


def test_file_is_given_again_empty(tmp_path: Path, folder: Path) -> None:
    spares = Spares(folder)
    spares.put(full(tmp_path / "old"))
    assert not (tmp_path / "old").exists()
    assert spares.take(tmp_path / "new")
    assert (tmp_path / "new").read_bytes() == b""
    assert not spares.take(tmp_path / "another")
    assert not (tmp_path / "another").exists()


def test_more_than_the_limit_is_deleted(tmp_path: Path, folder: Path) -> None:
    spares = Spares(folder, most=2)
    for number in range(5):
        spares.put(full(tmp_path / str(number)))
    assert len(list(folder.iterdir())) == 2
    assert list(tmp_path.glob("[0-9]")) == []
    assert [spares.take(tmp_path / f"new-{number}") for number in range(3)] == [True, True, False]


def test_what_an_earlier_process_left_is_deleted(folder: Path) -> None:
    full(folder / "1")
    Spares(folder)
    assert list(folder.iterdir()) == []


def test_file_that_is_gone_already_is_no_error_and_no_spare(tmp_path: Path, folder: Path) -> None:
    spares = Spares(folder)
    spares.put(tmp_path / "gone")
    assert not spares.take(tmp_path / "new")


def test_spare_that_vanished_is_passed_over(tmp_path: Path, folder: Path) -> None:
    spares = Spares(folder)
    for number in range(2):
        spares.put(full(tmp_path / str(number)))
    (folder / "2").unlink()
    assert spares.take(tmp_path / "new")
    assert not spares.take(tmp_path / "another")

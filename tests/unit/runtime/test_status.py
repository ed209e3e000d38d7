"""A role's status survives a disk that refuses: the role goes on, and what it says is still read."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from runtime.status import StatusFile, read_status_files

FULL = [{"what": "The disk is full.", "remedy": "Make room."}]


def refuse(path: Path, *_: object, **__: object) -> int:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def test_full_disk_takes_the_status_in_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    status = StatusFile(tmp_path, "ingest")
    status.write("ready")
    size = (tmp_path / "ingest-0.json").stat().st_size
    monkeypatch.setattr(Path, "write_bytes", refuse)
    status.write("degraded", problems=FULL)
    (found,) = read_status_files(tmp_path)
    assert (found["state"], found["problems"]) == ("degraded", FULL)
    assert (tmp_path / "ingest-0.json").stat().st_size == size
    assert [path.name for path in tmp_path.iterdir()] == ["ingest-0.json"]


def test_disk_that_refuses_everything_leaves_the_old_status(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    status = StatusFile(tmp_path, "ingest")
    status.write("ready")
    before = (tmp_path / "ingest-0.json").read_bytes()
    monkeypatch.setattr(Path, "write_bytes", refuse)
    monkeypatch.setattr(Path, "open", refuse)
    status.write("degraded", problems=FULL)
    monkeypatch.undo()
    assert (tmp_path / "ingest-0.json").read_bytes() == before


def test_status_that_outgrows_its_file_is_not_cut(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    status = StatusFile(tmp_path, "ingest")
    status.write("ready")
    before = read_status_files(tmp_path)
    monkeypatch.setattr(Path, "write_bytes", refuse)
    status.write("degraded", problems=FULL * 1000)
    assert read_status_files(tmp_path) == before

"""One look at a real machine."""

from __future__ import annotations

import resource
from pathlib import Path

import pytest

from alarms.watch import snapshot
from runtime.status import StatusFile


def test_look_reads_statuses_and_disks(tmp_path: Path) -> None:
    StatusFile(tmp_path, "index").write("ready")
    found = snapshot.look(tmp_path, {"data": tmp_path, "spool": tmp_path, "gone": tmp_path / "nowhere"}, tmp_path)
    assert [one["role"] for one in found.statuses] == ["index"]
    assert list(found.disks) == ["data"]
    assert (found.disks["data"].refusal, found.disks["data"].free_bytes > 0) == ("", True)
    assert found.unsynchronised in (True, False, None)


def test_want_of_descriptors_is_not_taken_for_silence(tmp_path: Path) -> None:
    StatusFile(tmp_path, "index").write("ready")
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (3, hard))
        with pytest.raises(OSError, match="Too many open files"):
            snapshot.look(tmp_path, {"data": tmp_path}, tmp_path)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_directory_that_cannot_be_written_to_says_why(tmp_path: Path) -> None:
    assert snapshot.look(tmp_path, {"data": tmp_path}, tmp_path / "nowhere").disks["data"].refusal != ""

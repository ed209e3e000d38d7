"""The log by position: names as the server gives them, bytes across files, zeros behind the end."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from storage.backup import LogGoneError
from upkeep.backup.wal import Wal

SEGMENT = 1 << 20


def wal(directory: Path, segment_bytes: int = SEGMENT) -> Wal:
    directory.mkdir(exist_ok=True)
    return Wal(directory=directory, timeline=3, segment_bytes=segment_bytes)


@pytest.mark.parametrize(("start", "size"), [(0, 10), (SEGMENT - 3, 7), (5 * SEGMENT, SEGMENT), (17, 3 * SEGMENT)])
def test_what_is_written_is_read_back(tmp_path: Path, start: int, size: int) -> None:
    log, data = wal(tmp_path / "pg_wal"), os.urandom(size)
    log.write(start, data[:4])
    log.write(start + 4, data[4:])
    assert log.read(start, start + size) == data
    assert {path.stat().st_size for path in (tmp_path / "pg_wal").iterdir()} == {SEGMENT}


@pytest.mark.parametrize(
    ("position", "name"),
    [  # as pg_walfile_name() of PostgreSQL 18 says it on timeline 3
        (0x1_0000_0000 - 1, "0000000300000000000000FF"),
        (0x1_0000_0000, "000000030000000100000000"),
        (0x16B_0374_D848, "000000030000016B00000003"),
    ],
)
def test_files_have_the_servers_names(tmp_path: Path, position: int, name: str) -> None:
    log = wal(tmp_path / "pg_wal", 16 << 20)
    log.write(position, b"x")
    assert [path.name for path in (tmp_path / "pg_wal").iterdir()] == [name]


def test_log_that_the_server_removed_is_said(tmp_path: Path) -> None:
    log = wal(tmp_path / "pg_wal")
    log.write(0, b"x")
    with pytest.raises(LogGoneError):
        log.read(SEGMENT - 1, SEGMENT + 1)

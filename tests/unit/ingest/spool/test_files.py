"""System calls of the spool: every byte goes in, in order, or an error says that it did not."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from ingest.spool import files
from ingest.spool.files import preallocate, replace_file, write_all


@pytest.mark.parametrize("pieces", [[], [b""], [b"ab", b"", b"c"], [b"x" * 10] * 2000])
def test_all_pieces_are_appended(tmp_path: Path, pieces: list[bytes]) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"before")
    descriptor = os.open(path, os.O_WRONLY | os.O_APPEND)
    try:
        assert write_all(descriptor, pieces) == len(b"".join(pieces))
    finally:
        os.close(descriptor)
    assert path.read_bytes() == b"before" + b"".join(pieces)


@pytest.mark.parametrize("first", [0, 1, 5, 6])
def test_short_write_is_continued_where_it_stopped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, first: int) -> None:
    descriptor = os.open(tmp_path / "file", os.O_WRONLY | os.O_CREAT)

    def short(number: int, pieces: list[bytes]) -> int:
        return os.write(number, b"".join(pieces)[:first])

    monkeypatch.setattr(files.os, "writev", short)
    try:
        write_all(descriptor, [b"abc", b"def"])
    finally:
        os.close(descriptor)
    assert (tmp_path / "file").read_bytes() == b"abcdef"


def test_reserved_room_does_not_show_in_the_length(tmp_path: Path) -> None:
    with (tmp_path / "file").open("wb") as file:
        preallocate(file.fileno(), 1 << 20)
        assert os.fstat(file.fileno()).st_size == 0


@pytest.mark.parametrize(
    ("number", "raises"), [(errno.ENOSPC, True), (errno.EDQUOT, True), (errno.EIO, True), (errno.EOPNOTSUPP, False)]
)
def test_full_disk_is_an_error_and_a_file_system_that_cannot_reserve_is_none(
    monkeypatch: pytest.MonkeyPatch, number: int, raises: bool
) -> None:
    class Libc:
        def fallocate(self, *_: object) -> int:
            return -1

    monkeypatch.setattr(files, "_libc", Libc())
    monkeypatch.setattr(files.ctypes, "get_errno", lambda: number)
    if raises:
        with pytest.raises(OSError) as caught:
            preallocate(0, 1)
        assert caught.value.errno == number
    else:
        preallocate(0, 1)


@pytest.mark.parametrize("sync", [True, False])
def test_file_is_replaced_whole_and_nothing_else_is_left(tmp_path: Path, sync: bool) -> None:
    for data in (b"one", b"a second, longer one", b""):
        replace_file(tmp_path / "file", data, sync=sync)
        assert (tmp_path / "file").read_bytes() == data
    assert [path.name for path in tmp_path.iterdir()] == ["file"]

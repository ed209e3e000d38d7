"""A disk that takes no writes is noticed, and one that does is left in peace."""

from __future__ import annotations

import errno
import os
import threading
from pathlib import Path
from types import SimpleNamespace

import pytest

from pipeline.supervise import disk
from pipeline.supervise.disk import FULL_BYTES, disk_trouble


def test_disk_that_takes_writes_is_no_trouble_and_nothing_is_left_on_it(tmp_path: Path) -> None:
    assert disk_trouble(tmp_path) == ""
    assert list(tmp_path.iterdir()) == []


def test_directory_that_is_gone_cannot_be_read(tmp_path: Path) -> None:
    assert disk_trouble(tmp_path / "gone") == "cannot be read (No such file or directory)"


@pytest.mark.parametrize(
    ("number", "said"),
    [
        (errno.EROFS, "is read-only"),
        (errno.ENOSPC, "is full"),
        (errno.EIO, "cannot be written (Input/output error)"),
        (errno.EOPNOTSUPP, ""),
        (errno.EMFILE, ""),
    ],
)
def test_error_of_the_write_says_what_the_trouble_is(
    number: int, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> int:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, "open", refuse)
    assert disk_trouble(tmp_path) == said


def test_little_room_is_a_full_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "statvfs", lambda _: SimpleNamespace(f_bavail=FULL_BYTES // 4096 - 1, f_frsize=4096))
    assert disk_trouble(tmp_path) == "is full"


async def test_disk_on_which_a_write_takes_long_is_slow_and_one_that_refuses_is_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(disk, "SLOW_S", 0.05)
    held = threading.Event()

    def hold(_: Path) -> None:
        held.wait(30)

    assert await disk.is_slow(tmp_path, hold)
    held.set()

    def refuse(_: Path) -> None:
        raise OSError(errno.ENOSPC, "full")

    assert not await disk.is_slow(tmp_path, refuse)
    monkeypatch.setattr(disk, "SLOW_S", 30)
    assert not await disk.is_slow(tmp_path)
    assert os.listdir(tmp_path) == []  # noqa: PTH208

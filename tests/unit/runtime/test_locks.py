"""A file lock keeps a second user out, names the first, and is gone with its holder however that ends."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
from pathlib import Path

import pytest

from domain.errors import MisuseError
from runtime import locks
from runtime.locks import FileLock


def refused(holder: str) -> MisuseError:
    return MisuseError(f"Taken by {holder}.")


def lock(folder: Path) -> FileLock:
    return FileLock(folder / "lock", refused)


def test_second_user_is_refused_and_told_the_process_of_the_first(tmp_path: Path) -> None:
    with lock(tmp_path), pytest.raises(MisuseError, match=rf"^Taken by process {os.getpid()}\.$"):
        lock(tmp_path).acquire()


def test_lock_is_free_after_release_and_after_its_block(tmp_path: Path) -> None:
    first = lock(tmp_path)
    first.acquire()
    first.release()
    first.release()
    with lock(tmp_path):
        pass
    with lock(tmp_path):
        pass


def test_lock_on_a_read_only_file_system_is_taken_where_its_file_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened = os.open

    def read_only(path: Path, flags: int, *mode: int) -> int:
        if flags & (os.O_RDWR | os.O_CREAT):
            raise OSError(errno.EROFS, os.strerror(errno.EROFS))
        return opened(path, flags, *mode)

    (tmp_path / "lock").touch()
    monkeypatch.setattr(os, "open", read_only)
    with lock(tmp_path), pytest.raises(MisuseError, match="Taken by process"):
        lock(tmp_path).acquire()
    with pytest.raises(FileNotFoundError):
        FileLock(tmp_path / "none", refused).acquire()


def test_lock_of_a_killed_process_is_free(tmp_path: Path) -> None:
    script = (
        "import sys, time; from pathlib import Path; from runtime.locks import FileLock\n"
        "FileLock(Path(sys.argv[1]), RuntimeError).acquire(); print('held', flush=True); time.sleep(600)"
    )
    with subprocess.Popen(
        [sys.executable, "-c", script, str(tmp_path / "lock")], stdout=subprocess.PIPE, text=True
    ) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "held\n"
        with pytest.raises(MisuseError, match=rf"process {other.pid}\."):
            lock(tmp_path).acquire()
        other.kill()
    with lock(tmp_path):
        pass


def test_lock_is_private_and_stays_empty(tmp_path: Path) -> None:
    with lock(tmp_path):
        status = (tmp_path / "lock").stat()
    assert (status.st_mode & 0o777, status.st_size) == (0o600, 0)


def test_holder_is_left_open_where_the_kernel_does_not_tell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def read_text(path: Path) -> str:
        raise FileNotFoundError(path)

    monkeypatch.setattr(locks.Path, "read_text", read_text)
    with lock(tmp_path), pytest.raises(MisuseError, match="another process"):
        lock(tmp_path).acquire()

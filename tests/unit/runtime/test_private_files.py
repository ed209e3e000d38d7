"""Private files: written whole or not at all, closed to others, refused when they are not."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
from pathlib import Path

import pytest

from runtime import private_files
from runtime.errors import PrivateFileError
from runtime.private_files import private_directory, read_private, replace_file, write_private


def test_written_file_is_closed_to_others_and_read_again(tmp_path: Path) -> None:
    path = tmp_path / "key"
    write_private(path, b"one")
    write_private(path, b"two", durable=False)
    assert (read_private(path), path.stat().st_mode & 0o777) == (b"two", 0o600)
    assert [entry.name for entry in tmp_path.iterdir()] == ["key"]


def test_write_that_fails_leaves_the_old_file_and_no_scratch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    path = tmp_path / "key"
    write_private(path, b"old")
    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        write_private(path, b"new")
    assert path.read_bytes() == b"old"
    assert [entry.name for entry in tmp_path.iterdir()] == ["key"]


def test_scratch_that_a_crash_left_open_to_others_is_not_written_into(tmp_path: Path) -> None:
    scratch = tmp_path / "key.new"
    scratch.touch(mode=0o666)
    write_private(tmp_path / "key", b"secret")
    assert (tmp_path / "key").stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("umask", [0o077, 0o022, 0])
@pytest.mark.parametrize("mode", [0o644, 0o600])
def test_file_has_its_mode_whatever_the_umask_is(tmp_path: Path, mode: int, umask: int) -> None:
    before = os.umask(umask)
    try:
        replace_file(tmp_path / "status.json", b"{}", mode=mode, durable=False)
    finally:
        os.umask(before)
    assert (tmp_path / "status.json").stat().st_mode & 0o777 == mode


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620])
def test_file_that_others_may_read_or_write_is_refused(tmp_path: Path, mode: int) -> None:
    path = tmp_path / "key"
    write_private(path, b"secret")
    path.chmod(mode)
    with pytest.raises(PrivateFileError, match="chmod 600"):
        read_private(path)


def test_link_and_directory_are_no_private_files(tmp_path: Path) -> None:
    write_private(tmp_path / "key", b"secret")
    (tmp_path / "link").symlink_to(tmp_path / "key")
    with pytest.raises(PrivateFileError, match="cannot be opened"):
        read_private(tmp_path / "link")
    with pytest.raises(PrivateFileError, match="not a regular file"):
        read_private(tmp_path)


def test_absent_file_is_told_apart(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        read_private(tmp_path / "key")


def test_directory_is_made_closed_with_its_parents(tmp_path: Path) -> None:
    made = private_directory(tmp_path / "a" / "b")
    assert made.stat().st_mode & 0o777 == 0o700
    assert private_directory(made) == made


def test_directory_of_others_is_refused_with_the_remedy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = private_directory(tmp_path / "a")
    folder.chmod(0o750)
    with pytest.raises(PrivateFileError, match=f"chmod 700 {folder}"):
        private_directory(folder)
    folder.chmod(0o700)
    monkeypatch.setattr(private_files.os, "geteuid", lambda: folder.stat().st_uid + 1)
    with pytest.raises(PrivateFileError, match="belongs to user"):
        private_directory(folder)


def test_directory_that_cannot_be_made_says_why(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(PrivateFileError, match="Not a directory"):
        private_directory(tmp_path / "file" / "folder")


def test_pipe_in_place_of_a_file_holds_nobody(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "key", 0o600)
    with pytest.raises(PrivateFileError, match="not a regular file"):
        read_private(tmp_path / "key")


def test_file_made_by_several_processes_at_once_has_one_content(tmp_path: Path) -> None:
    script = (
        "import sys, time; from pathlib import Path; from runtime.private_files import make_private, read_private\n"
        "go, key = Path(sys.argv[1]), Path(sys.argv[2]); print('here', flush=True)\n"
        "while not go.exists(): pass\n"
        "make_private(key, sys.argv[3].encode()); print(read_private(key).decode())"
    )
    folder = private_directory(tmp_path / "secrets")
    command = [sys.executable, "-c", script, str(tmp_path / "go"), str(folder / "key")]
    makers = [subprocess.Popen([*command, str(one)], stdout=subprocess.PIPE, text=True) for one in range(4)]
    for maker in makers:
        assert maker.stdout is not None
        maker.stdout.readline()
    (tmp_path / "go").touch()
    found = [maker.communicate(timeout=60)[0] for maker in makers]
    assert len(set(found)) == 1
    assert found[0].strip() in ("0", "1", "2", "3")
    assert [entry.name for entry in folder.iterdir()] == ["key"]

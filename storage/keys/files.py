"""Private files: written whole and 0600, read only when owned by us and closed to others."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from storage.keys.errors import KeyFileError


def read_private(path: Path) -> bytes:
    """The file's bytes. KeyFileError when others could read or replace it; FileNotFoundError when it is absent."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except FileNotFoundError:
        raise
    except OSError as exc:
        raise KeyFileError(
            f"{path} cannot be opened ({exc.strerror}).", "It must be a regular file that this user can read."
        ) from exc
    with os.fdopen(descriptor, "rb") as file:
        check_private(path, os.fstat(descriptor))
        return file.read()


def check_private(path: Path, status: os.stat_result) -> None:
    """KeyFileError unless ``status`` is of a regular file, ours, with no access for anybody else."""
    if not stat.S_ISREG(status.st_mode):
        raise KeyFileError(f"{path} is not a regular file.", "Put the key file itself there, not a link to it.")
    if status.st_uid != os.geteuid():
        raise KeyFileError(
            f"{path} belongs to user {status.st_uid}, not to {os.geteuid()}.", f"chown {os.geteuid()} {path}"
        )
    if stat.S_IMODE(status.st_mode) & 0o077:
        raise KeyFileError(f"{path} can be read by others.", f"chmod 600 {path}, and ask who has read it meanwhile.")


def write_private(path: Path, data: bytes) -> None:
    """Replace the file, durably: whoever reads it sees the old bytes or the new ones. The old bytes are not erased."""
    scratch = path.with_name(path.name + ".new")
    scratch.unlink(missing_ok=True)
    descriptor = os.open(scratch, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(descriptor)
    scratch.replace(path)
    sync_directory(path.parent)


def private_directory(path: Path) -> None:
    """Make the directory 0700 if it is absent. KeyFileError when it belongs to, or is open to, somebody else."""
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    status = path.stat()
    if status.st_uid != os.geteuid():
        raise KeyFileError(f"{path} belongs to user {status.st_uid}.", f"chown {os.geteuid()} {path}")
    if stat.S_IMODE(status.st_mode) & 0o077:
        raise KeyFileError(f"{path} is open to others.", f"chmod 700 {path}")


def sync_directory(path: Path) -> None:
    """Make a rename in ``path`` durable."""
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)

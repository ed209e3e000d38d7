"""Files and directories that only this user may read: written whole, and refused when others could have looked in."""

from __future__ import annotations

import contextlib
import os
import stat
from pathlib import Path

from runtime.errors import PrivateFileError
from runtime.failpoints import hit


def read_private(path: Path) -> bytes:
    """The file's bytes. PrivateFileError when others could read or replace it; FileNotFoundError when it is absent."""
    try:
        # Without O_NONBLOCK, opening a pipe planted under this name would block for ever.
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except FileNotFoundError:
        raise
    except OSError as exc:
        raise PrivateFileError(
            f"{path} cannot be opened ({exc.strerror}).", "It must be a regular file that this user can read."
        ) from exc
    try:
        check_private(path, os.fstat(descriptor))
        with os.fdopen(descriptor, "rb", closefd=False) as file:
            return file.read()
    finally:
        os.close(descriptor)


def check_private(path: Path, status: os.stat_result) -> None:
    """PrivateFileError unless ``status`` is of a regular file, ours, with no access for other users."""
    if not stat.S_ISREG(status.st_mode):
        raise PrivateFileError(f"{path} is not a regular file.", "Put the file itself there, not a link to it.")
    _check_owner(path, status)
    if stat.S_IMODE(status.st_mode) & 0o077:
        raise PrivateFileError(
            f"{path} can be read by others.", f"Run: chmod 600 {path}; and ask who has read it meanwhile."
        )


def write_private(path: Path, data: bytes, *, durable: bool = True, failpoint: str = "private.replace") -> None:
    """Replace the file, mode 0600. Readers see the old bytes or the new ones. The old ones are not erased.

    durable: after a power cut, too, and the new ones once this has returned. OSError.
    failpoint: struck when the new bytes are written and the file does not have its name yet
    """
    replace_file(path, data, mode=0o600, durable=durable, failpoint=failpoint)


def replace_file(path: Path, data: bytes, *, mode: int, durable: bool, failpoint: str = "private.replace") -> None:
    """As ``write_private()``, for files that others may read: it has ``mode`` whatever the process's umask is."""
    scratch = path.with_name(path.name + ".new")
    scratch.unlink(missing_ok=True)
    descriptor = os.open(scratch, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, mode)
    try:
        with os.fdopen(descriptor, "wb") as file:
            os.fchmod(descriptor, mode)
            file.write(data)
            file.flush()
            if durable:
                os.fsync(descriptor)
        hit(failpoint)
        scratch.replace(path)
    except BaseException:
        scratch.unlink(missing_ok=True)
        raise
    if durable:
        sync_directory(path.parent)


def make_private(path: Path, data: bytes) -> None:
    """Write the file unless it is there already. Of two processes that do this at once, both find the same bytes.

    It is linked into place once it is whole: a crash leaves no empty file to be taken for the real one. OSError.
    """
    if path.exists():
        return
    scratch = path.with_name(f"{path.name}.{os.getpid()}")
    write_private(scratch, data)
    with contextlib.suppress(FileExistsError):
        path.hardlink_to(scratch)
    scratch.unlink()
    sync_directory(path.parent)


def private_directory(path: Path) -> Path:
    """``path``, made 0700 if it is absent. PrivateFileError when it cannot be, is another's, or open to others."""
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as exc:
        raise PrivateFileError(
            f"{path} cannot be made ({exc.strerror}).", "Correct that, or name another place."
        ) from exc
    status = path.stat()
    _check_owner(path, status)
    if stat.S_IMODE(status.st_mode) & 0o077:
        raise PrivateFileError(f"{path} can be entered by others.", f"Run: chmod 700 {path}")
    return path


def sync_directory(path: Path) -> None:
    """Make new, removed and renamed entries of ``path`` durable. OSError."""
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _check_owner(path: Path, status: os.stat_result) -> None:
    if status.st_uid != os.geteuid():
        raise PrivateFileError(
            f"{path} belongs to user {status.st_uid}, not to {os.geteuid()}.", f"Run: chown {os.geteuid()} {path}"
        )

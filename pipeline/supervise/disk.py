"""Checks whether the disk under a directory accepts writes."""

from __future__ import annotations

import asyncio
import errno
import os
from collections.abc import Callable
from pathlib import Path
from typing import Final

from domain.errors import RetryableError

SLOW_S: Final = 1.0
FULL_BYTES: Final = 64 << 20
"""With less than this PostgreSQL cannot make its next file, and a segment may not fit."""
FULL: Final = "is full"
_NOT_KNOWN_THERE: Final = (errno.EOPNOTSUPP, errno.EISDIR, errno.EMFILE, errno.ENFILE)
"""Files without a name on some file systems; and descriptors that we lack say nothing of the disk."""


def disk_trouble(directory: Path) -> str:
    """What keeps it from taking writes, in words that follow "The disk under DIRECTORY"; "" for nothing.

    A file without a name is made in it, since a file system that went read-only over an error need not say so itself.
    """
    try:
        found = os.statvfs(directory)
    except OSError as exc:
        return f"cannot be read ({exc.strerror})"
    try:
        os.close(os.open(directory, os.O_TMPFILE | os.O_WRONLY | os.O_CLOEXEC, 0o600))
    except OSError as exc:
        if exc.errno in (errno.ENOSPC, errno.EDQUOT):
            return FULL
        if exc.errno == errno.EROFS:
            return "is read-only"
        if exc.errno not in _NOT_KNOWN_THERE:
            return f"cannot be written ({exc.strerror})"
    return FULL if found.f_bavail * found.f_frsize < FULL_BYTES else ""


def takes_no_writes(directory: Path) -> bool:
    """Whether not even a file that is there can be written to: on a full disk it can."""
    return disk_trouble(directory) not in ("", FULL)


class DiskTroubleError(RetryableError):
    """The disk under the data directory takes no writes."""


def disk_problem(directory: Path) -> DiskTroubleError | None:
    """The same as a problem for people; None for no trouble."""
    trouble = disk_trouble(directory)
    if not trouble:
        return None
    return DiskTroubleError(f"The disk under {directory} {trouble}.", "Make room on it, or make it writable.")


async def is_slow(directory: Path, write: Callable[[Path], None] | None = None) -> bool:
    """Whether a small file that is synced to the disk takes longer than ``SLOW_S``."""
    writing = asyncio.get_running_loop().run_in_executor(None, write or _write, directory)
    done, _ = await asyncio.wait((writing,), timeout=SLOW_S)
    writing.add_done_callback(lambda future: future.cancelled() or future.exception())  # its outcome does not matter
    return not done


def _write(directory: Path) -> None:
    descriptor = os.open(directory, os.O_TMPFILE | os.O_WRONLY | os.O_CLOEXEC, 0o600)
    try:
        os.write(descriptor, bytes(4096))
        os.fsync(descriptor)
    finally:
        os.close(descriptor)

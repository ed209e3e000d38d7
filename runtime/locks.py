"""Exclusive file locks of the kernel, released with their holder, even by kill -9."""

from __future__ import annotations

import errno
import fcntl
import os
from collections.abc import Callable
from pathlib import Path
from types import TracebackType

from domain.errors import TallenneError


class FileLock:
    """Held from ``acquire()``, or ``with``, to ``release()`` or the end of the process. The file itself stays empty."""

    def __init__(self, path: Path, refusal: Callable[[str], TallenneError]) -> None:
        """``refusal``: makes the error for the second caller, given the lock's holder ("process 123")."""
        self._path, self._refusal = path, refusal
        self._descriptor = -1

    def acquire(self) -> None:
        """The refusal's error when another process holds it; OSError when the file cannot be made."""
        descriptor = self._opened()
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = _holder(os.fstat(descriptor).st_ino)
            os.close(descriptor)
            raise self._refusal(holder) from None
        except BaseException:
            os.close(descriptor)
            raise
        self._descriptor = descriptor

    def _opened(self) -> int:
        """A file system that is read-only has the file already, if it ever was in use."""
        try:
            return os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as exc:
            if exc.errno != errno.EROFS:
                raise
            return os.open(self._path, os.O_RDONLY | os.O_CLOEXEC)

    def release(self) -> None:
        """Release the lock; harmless if it is not held."""
        descriptor, self._descriptor = self._descriptor, -1
        if descriptor >= 0:
            os.close(descriptor)

    def __enter__(self) -> None:
        self.acquire()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.release()


def _holder(inode: int) -> str:
    """From the kernel's list of locks (proc_locks(5)), so that nothing has to be written while a disk is full.

    A line: number, kind, "ADVISORY", access, process, device:inode, first byte, last byte. Devices are not compared:
    some file systems show another one here than in stat().
    """
    try:
        lines = Path("/proc/locks").read_text().splitlines()
    except OSError:
        return "another process"
    for fields in map(str.split, lines):
        if len(fields) > 5 and fields[1] == "FLOCK" and fields[5].rpartition(":")[2] == str(inode):
            # A holder outside of our process namespace is shown as 0 or -1.
            return f"process {fields[4]}" if int(fields[4]) > 0 else "another process"
    return "another process"

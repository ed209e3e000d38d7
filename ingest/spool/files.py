"""System calls of the spool. Each does one thing completely or raises OSError."""

from __future__ import annotations

import ctypes
import errno
import os
from collections.abc import Sequence
from pathlib import Path

from runtime.private_files import write_private

_KEEP_SIZE = 1  # FALLOC_FL_KEEP_SIZE, linux/falloc.h
_libc = ctypes.CDLL(None, use_errno=True)
_IOV_MAX = 1024


def preallocate(descriptor: int, size_bytes: int) -> None:
    """Reserve blocks without changing the file's length, where the file system can. OSError: the disk is full.

    Measured on ext4 (5 MiB in 256 KiB appends): 1.2 ms with, 1.6 to 2.5 ms without, 0.8 ms when overwriting another
    file. Overwriting is not used: the length would stand in the journal alone, with stale bytes behind it.
    """
    result = _libc.fallocate(
        ctypes.c_int(descriptor), ctypes.c_int(_KEEP_SIZE), ctypes.c_int64(0), ctypes.c_int64(size_bytes)
    )
    if result != 0 and ctypes.get_errno() in (errno.ENOSPC, errno.EDQUOT, errno.EIO):
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))


def write_all(descriptor: int, pieces: Sequence[bytes]) -> int:
    """Append all pieces and return their total length. OSError: fewer were written; recovery finds out how many."""
    total = sum(map(len, pieces))
    written = os.writev(descriptor, pieces) if len(pieces) <= _IOV_MAX else os.write(descriptor, b"".join(pieces))
    if written != total:
        rest = memoryview(b"".join(pieces))[written:]
        while rest:
            rest = rest[os.write(descriptor, rest) :]
    return total


def replace_file(path: Path, data: bytes, *, sync: bool) -> None:
    """Replace the file atomically: readers see the old bytes or the new ones, even after a crash."""
    write_private(path, data, durable=sync, failpoint="spool.replace")

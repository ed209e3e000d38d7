"""Whether the disk under a directory takes writes."""

from __future__ import annotations

import errno
import os
from pathlib import Path
from typing import Final

FULL_BYTES: Final = 64 << 20
"""With less than this PostgreSQL cannot make its next file, and a segment may not fit."""
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
            return "is full"
        if exc.errno == errno.EROFS:
            return "is read-only"
        if exc.errno not in _NOT_KNOWN_THERE:
            return f"cannot be written ({exc.strerror})"
    return "is full" if found.f_bavail * found.f_frsize < FULL_BYTES else ""

"""Whether the disk under a directory takes writes."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

FULL_BYTES: Final = 64 << 20
"""With less than this PostgreSQL cannot make its next file, and a segment may not fit."""


def disk_trouble(directory: Path) -> str:
    """What keeps it from taking writes, in words that follow "The disk under DIRECTORY"; "" for nothing."""
    try:
        found = os.statvfs(directory)
    except OSError as exc:
        return f"cannot be read ({exc.strerror})"
    if found.f_flag & os.ST_RDONLY:
        return "is read-only"
    return "is full" if found.f_bavail * found.f_frsize < FULL_BYTES else ""

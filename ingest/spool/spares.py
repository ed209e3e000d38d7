"""Files whose segment has left the spool, emptied and kept for the next one.

A file system is slow to make inodes where many have just been deleted: ext4 passes over those of the last seconds one
by one. Measured with 200 cameras: 4 % of all that recording costs. They are empty, so that a file's length still says
what was written, and nothing stale lies behind it. Where a power cut must lose nothing (``fsync``) none are kept: that
an emptied file was empty before it got its new name is promised by no standard.
"""

from __future__ import annotations

import contextlib
import os
from pathlib import Path
from typing import Final

MOST: Final = 512  # after the store was away, thousands are uploaded at once


class Spares:
    """In a folder of their own. What an earlier process left there is deleted: it may not be empty."""

    def __init__(self, folder: Path, most: int = MOST) -> None:
        """OSError."""
        self._folder, self._most = folder, most
        self._kept: list[Path] = []
        self._made = 0
        for path in folder.iterdir():
            path.unlink()

    def put(self, path: Path) -> None:
        """Move the file away from ``path`` and empty it; a missing file is no error. OSError: it is still there."""
        if len(self._kept) >= self._most:
            path.unlink(missing_ok=True)
            return
        self._made += 1
        spare = self._folder / str(self._made)
        try:
            path.rename(spare)
        except OSError:  # it is gone, or the disk has no room for another name
            path.unlink(missing_ok=True)
            return
        try:
            os.truncate(spare, 0)
        except OSError:
            with contextlib.suppress(OSError):
                spare.unlink()
        else:
            self._kept.append(spare)

    def take(self, path: Path) -> bool:
        """Put an empty file at ``path``, where no file is; False when there is no spare."""
        while self._kept:
            with contextlib.suppress(OSError):
                self._kept.pop().rename(path)
                return True
        return False

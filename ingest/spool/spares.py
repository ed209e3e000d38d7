"""Files whose segment has left the spool, emptied and kept for the next one.

Creating an inode is slow where many have just been deleted: ext4 skips those of the last seconds one by one, which cost
4 % of all recording with 200 cameras (measured). The spare files are emptied, so that a file's length still says what
was written, with nothing stale behind it. With ``fsync`` no spares are kept: no standard promises that a truncation
reaches the disk before a later rename.
"""

from __future__ import annotations

import contextlib
import os
from pathlib import Path
from typing import Final

MOST: Final = 512  # thousands are uploaded at once after the store was away


class Spares:
    """Keeps spare files in their own folder. Files of an earlier process are deleted: they may not be empty."""

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
        except OSError:  # the file is gone, or the disk has no room for another name
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
        """Move a spare file to ``path``, where no file is. False: there is no spare."""
        while self._kept:
            with contextlib.suppress(OSError):
                self._kept.pop().rename(path)
                return True
        return False

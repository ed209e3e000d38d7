"""Logs end: every half of their period what was written becomes the old log, and the old one before it goes.

Roles and services keep writing through the descriptor that they have: a log is copied and cut, not renamed.
"""

from __future__ import annotations

import shutil
import time
from pathlib import Path
from typing import Final

_MARK: Final = ".turned"  # its modification time: when the logs were turned last
_DAY_S: Final = 86_400


def turn_logs(directory: Path, days: int, now_s: float | None = None) -> bool:
    """Turn all ``*.log`` when half of ``days`` has passed since the last time; whether it had. OSError."""
    now_s = time.time() if now_s is None else now_s
    mark = directory / _MARK
    if not mark.exists():
        mark.touch()
        return False
    if now_s - mark.stat().st_mtime < days * _DAY_S / 2:
        return False
    for log in directory.glob("*.log"):
        shutil.copyfile(log, log.with_suffix(".log.old"))
        # A line that is written between copy and cut is lost: the alternative is that every writer opens anew.
        with log.open("r+b") as file:
            file.truncate(0)
    for old in directory.glob("*.log.old"):
        old.chmod(0o600)
    mark.touch()
    return True

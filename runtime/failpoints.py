"""Named places where a test may break a step. Without the environment variable each is an empty call.

``TALLENNE_FAILPOINTS="spool.finish.end=kill@3,upload.put.after=error"``: at its third hit the first place kills the
process as if by kill -9, the second raises OSError at every hit. ``@n`` strikes at the n-th hit only. ``pause`` sleeps
for a second. Hits are counted per process; ``TALLENNE_FAILPOINT_LOG`` names a file to which every strike is appended.
"""

from __future__ import annotations

import errno
import os
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

VARIABLE = "TALLENNE_FAILPOINTS"
LOG_VARIABLE = "TALLENNE_FAILPOINT_LOG"


@dataclass(slots=True)
class _Place:
    action: str
    at: int  # 0: every hit
    hits: int = 0


class Failpoints:
    """The failpoints that this process has to hit, from its environment."""

    def __init__(self, specification: str, log: str = "") -> None:
        """ValueError when the specification cannot be read."""
        self._log = log
        self._places: dict[str, _Place] = {}
        for item in filter(None, specification.split(",")):
            name, _, what = item.partition("=")
            action, _, at = what.partition("@")
            if action not in ("kill", "error", "full", "pause"):
                raise ValueError(f"unknown failpoint action in {item!r}")
            self._places[name] = _Place(action, int(at or 0))

    def hit(self, name: str) -> None:
        """Fail here if the environment asks for it at this hit of ``name``."""
        place = self._places.get(name)
        if place is None:
            return
        place.hits += 1
        if place.at in (0, place.hits):
            self._strike(name, place)

    def _strike(self, name: str, place: _Place) -> None:
        if self._log:
            with Path(self._log).open("a") as file:
                file.write(f"{name} {place.action} {place.hits}\n")
        if place.action == "kill":
            os.kill(os.getpid(), signal.SIGKILL)
        if place.action == "pause":
            time.sleep(1.0)
        if place.action == "error":
            raise OSError(errno.EIO, "failpoint", name)
        if place.action == "full":
            raise OSError(errno.ENOSPC, "failpoint", name)


def _nothing(name: str) -> None:
    """No failpoint is set in this process."""


hit: Callable[[str], None] = (
    Failpoints(os.environ[VARIABLE], os.environ.get(LOG_VARIABLE, "")).hit if os.environ.get(VARIABLE) else _nothing
)

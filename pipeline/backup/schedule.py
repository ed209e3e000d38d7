"""When the drill is due, and its process: `tallenne up` starts it, beside the roles and outside of their sandboxes."""

from __future__ import annotations

import asyncio
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

from domain.time import DAY_NS, HOUR_NS
from pipeline.config.load import Loaded
from pipeline.embedded.process import die_with_parent, rotate
from pipeline.installation import Installation
from upkeep.backup.drills import newest_drill
from upkeep.backup.state import BackupState

_YOUNG_NS: Final = 6 * HOUR_NS  # of a copy; so that a good part of it is log
_AGAIN_NS: Final = DAY_NS  # after a drill that failed, or could not be made


class DrillSchedule:
    """``look()`` again and again; ``close()`` ends a drill that goes on."""

    def __init__(
        self, loaded: Loaded, installation: Installation, *, clock_ns: Callable[[], int] = time.time_ns
    ) -> None:
        self._loaded, self._installation, self._clock_ns = loaded, installation, clock_ns
        self._tried_ns = 0
        self._process: asyncio.subprocess.Process | None = None

    def due(self) -> bool:
        """Whether a drill should begin now."""
        own, now_ns = self._loaded.config.backup, self._clock_ns()
        if own is None or self._process is not None or now_ns - self._tried_ns < _AGAIN_NS:
            return False
        directory = self._installation.root / "backup"
        newest = newest_drill(directory)
        if now_ns - newest["good_drill_ns"] < own.drill_d * DAY_NS or now_ns - newest["drill_ns"] < _AGAIN_NS:
            return False
        current = BackupState.load(directory).current
        return current is not None and current.complete and now_ns - current.created_ns > _YOUNG_NS

    async def look(self) -> None:
        """Start one when it is due; forget one that has ended. OSError."""
        if self._process is not None and self._process.returncode is not None:
            self._process = None
        if self.due():
            self._tried_ns = self._clock_ns()
            self._process = await self._start(self._installation.logs / "drill.log")

    async def _start(self, log: Path) -> asyncio.subprocess.Process:
        rotate(log)
        place = ["--config", str(self._loaded.path), "--data", str(self._installation.root)]
        with log.open("ab") as out:
            return await asyncio.create_subprocess_exec(
                *[sys.executable, "-m", "pipeline.cli", "backup", "drill", *place],
                stdin=asyncio.subprocess.DEVNULL,
                stdout=out,
                stderr=out,
                env={**os.environ, "TMPDIR": str(self._installation.scratch)},
                start_new_session=True,
                preexec_fn=die_with_parent,
            )

    async def close(self) -> None:
        """Its scratch place is removed by the next one."""
        process, self._process = self._process, None
        if process is not None and process.returncode is None:
            process.terminate()
            await process.wait()

"""One role as a child process: started, watched, started again after a crash, stopped in good order."""

from __future__ import annotations

import asyncio
import contextlib
import os
import random
import signal
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from pipeline.embedded.process import die_with_parent, rotate
from pipeline.exit_codes import MISUSE
from pipeline.supervise.tell import Tell

_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 0.2, 15.0
_STEADY_S = 30.0
_GRACE_S = 25.0


class RoleProcess:
    """``run()`` until ``stop()``. restarts: how often it had to be started again."""

    def __init__(self, name: str, arguments: Sequence[str], log: Path, scratch: Path, tell: Tell) -> None:
        """``arguments``: of the `tallenne` command. ``scratch``: for temporary files, inside the data directory."""
        self.name = name
        self._command = [sys.executable, "-m", "pipeline.cli", *arguments]
        self._log = log
        self._scratch = scratch
        self._tell = tell
        self._process: asyncio.subprocess.Process | None = None
        self._stopping = False
        self._expected = False  # it was asked to end, to be started again
        self.restarts = 0
        self.misuse = ""  # what a person must mend, as the role said it

    @property
    def pid(self) -> int | None:
        return self._process.pid if self._process else None

    async def run(self) -> None:
        """Start it, again and again, until it is stopped."""
        pause_s = _FIRST_PAUSE_S
        while True:
            started = time.monotonic()
            code = await self._once()
            if self._stopping:
                return
            if self._expected:
                self._expected = False
                continue
            if code == MISUSE:
                self.misuse = self._last_words()
            if time.monotonic() - started > _STEADY_S:
                pause_s = _FIRST_PAUSE_S
            self.restarts += 1
            self._tell.line(f"! {self.name} ended ({_reason(code)}); starting it again. {self._last_words()}")
            await asyncio.sleep(pause_s * random.uniform(0.7, 1.0))
            pause_s = min(pause_s * 2, _LONGEST_PAUSE_S)

    async def _once(self) -> int:
        rotate(self._log)
        with self._log.open("ab") as out:
            self._process = await asyncio.create_subprocess_exec(
                *self._command,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=out,
                stderr=out,
                env=_environment(self._scratch),
                start_new_session=True,
                preexec_fn=die_with_parent,
            )
        return await self._process.wait()

    def reload(self) -> None:
        """Let it read its configuration again (SIGUSR1)."""
        if self._process is not None and self._process.returncode is None:
            self._process.send_signal(signal.SIGUSR1)

    def restart(self) -> None:
        """End it in good order; it is started again at once."""
        self._expected = True
        if self._process is not None and self._process.returncode is None:
            self._process.send_signal(signal.SIGTERM)

    async def stop(self) -> None:
        """SIGTERM, and by force after the grace period."""
        self._stopping = True
        process = self._process
        if process is None or process.returncode is not None:
            return
        with contextlib.suppress(ProcessLookupError):
            process.send_signal(signal.SIGTERM)
        try:
            await asyncio.wait_for(process.wait(), _GRACE_S)
        except TimeoutError:
            self._tell.line(f"! {self.name} does not stop; it is ended by force")
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            await process.wait()

    def _last_words(self) -> str:
        lines = self._log.read_text(errors="replace").strip().splitlines() if self._log.exists() else []
        told = [line for line in lines if line.strip(" |+-")]  # an exception group ends in a frame
        return told[-1].strip(" |")[:400] if told else ""


def _environment(scratch: Path) -> dict[str, str]:
    """Ours, since secrets may be named there; temporary files stay in the data directory, where others cannot look."""
    return {**os.environ, "PYTHONUNBUFFERED": "1", "TZ": "UTC", "TMPDIR": str(scratch)}


def _reason(code: int) -> str:
    return f"signal {signal.Signals(-code).name}" if code < 0 else f"exit code {code}"

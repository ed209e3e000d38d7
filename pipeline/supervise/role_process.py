"""One role as a child process: started, watched, started again after a crash, and shut down."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from pipeline.embedded.process import die_with_parent, rotate
from pipeline.exit_codes import MISUSE
from pipeline.supervise.hold import VARIABLE as HELD
from pipeline.supervise.hold import Held
from pipeline.supervise.restarts import Restarts
from pipeline.supervise.tell import Tell
from runtime.backoff import Backoff
from runtime.heartbeat import BEAT_S, VARIABLE, Listener, Watch

_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 0.2, 15.0
_STEADY_S = 30.0
_GRACE_S = 25.0
_TRACE_S = 0.3  # for writing down where it is stuck


class RoleProcess:
    """``run()`` until ``stop()``. It is loaded and held until ``let_go()``. restarts: those after a failure."""

    def __init__(self, name: str, arguments: Sequence[str], log: Path, scratch: Path, tell: Tell) -> None:
        """``arguments``: of the `tallenne` command. ``scratch``: for temporary files, inside the data directory."""
        self.name = name
        self._command = [sys.executable, "-m", "pipeline.cli", *arguments]
        self.log = log
        self._scratch = scratch
        self._tell = tell
        self._process: asyncio.subprocess.Process | None = None
        self._stopping = False
        self._expected = False  # it was asked to end, to be started again
        self._free = asyncio.Event()  # it was let go
        self.restarts = Restarts()
        self.misuse = ""  # what the operator must correct, as the role reported it
        self.end = ""  # how it ended the last time, and what it said then
        self._begun_at = 0  # where in the log this run begins

    @property
    def pid(self) -> int | None:
        """None while it does not run, and from ``restart()`` on until it has been started again."""
        return self._process.pid if self._process and not self._expected else None

    async def run(self) -> None:
        """Start it, again and again, until it is stopped."""
        backoff = Backoff(first_s=_FIRST_PAUSE_S, longest_s=_LONGEST_PAUSE_S, steady_s=_STEADY_S)
        while True:
            started = time.monotonic()
            code = await self._once()
            if self._stopping:
                return
            if self._expected:
                self._expected = False
                continue
            words = self._last_words() if code > 0 else ""  # one that was killed had no time for any
            if code == MISUSE:
                self.misuse = words
            self.end = f"{_reason(code)}: {words}" if words else _reason(code)
            self.restarts.note(time.monotonic())
            self._tell.line(f"! {self.name} ended ({self.end}); it is started again.")
            await asyncio.sleep(backoff.pause_s(time.monotonic() - started))

    async def _once(self) -> int:
        rotate(self.log)
        self._begun_at = self.log.stat().st_size if self.log.exists() else 0
        with contextlib.closing(Listener()) as listener, contextlib.closing(Held()) as held:
            with self.log.open("ab") as out, held.theirs() as stdin:
                self._process = await asyncio.create_subprocess_exec(
                    *self._command,
                    stdin=stdin,
                    stdout=out,
                    stderr=out,
                    env=_environment(self._scratch) | {VARIABLE: listener.address, HELD: "1"},
                    start_new_session=True,
                    preexec_fn=die_with_parent,
                )
            watching = asyncio.create_task(self._watch(self._process, listener, held), name=f"heartbeat of {self.name}")
            process = self._process
            try:
                return await process.wait()
            finally:
                self._process = None
                watching.cancel()
                await asyncio.wait((watching,))

    def let_go(self) -> None:
        """What it needs is there: it, and those after it, begin their work as soon as they are loaded."""
        self._free.set()

    async def _watch(self, process: asyncio.subprocess.Process, listener: Listener, held: Held) -> None:
        """Let it go when that is said; end it when its event loop does not run any more. ``run()`` starts it again."""
        await self._free.wait()
        held.let_go()
        watch = Watch()
        while not (watch.stuck(_excused(listener, process.pid)) or listener.given_up) or self._stopping:  # noqa: ASYNC110
            await asyncio.sleep(BEAT_S)
        self._tell.line(f"! {self.name} does not answer any more; it is ended by force. Where it stood is in its log.")
        with contextlib.suppress(ProcessLookupError):
            process.send_signal(signal.SIGUSR2)
            await asyncio.sleep(_TRACE_S)
            process.kill()

    def reload(self) -> None:
        """Let it read its configuration again (SIGUSR1)."""
        if self._process is not None and self._process.returncode is None:
            self._process.send_signal(signal.SIGUSR1)

    def restart(self) -> None:
        """Ask it to end; it is started again at once."""
        if self._process is not None and self._process.returncode is None:
            self._expected = True
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
        """The last line that this run wrote into the log; "" when there is none."""
        with self.log.open("rb") as log:
            log.seek(self._begun_at)
            lines = log.read().decode(errors="replace").strip().splitlines()
        shown = [line for line in lines if line.strip(" |+-")]  # an exception group ends in a frame
        return shown[-1].strip(" |")[:400] if shown else ""


def _excused(listener: Listener, pid: int) -> bool:
    """Whether it has beaten, or waits within the kernel for a slow disk: no signal would reach it there."""
    return listener.heard(pid) or waits_for_disk(pid)


def waits_for_disk(pid: int, proc: Path = Path("/proc")) -> bool:
    """Whether its main thread, which runs the event loop, sleeps uninterruptibly (proc_pid_stat(5))."""
    try:
        return (proc / str(pid) / "stat").read_text(errors="replace").rpartition(")")[2].split()[0] == "D"
    except (OSError, IndexError):
        return False


def _environment(scratch: Path) -> dict[str, str]:
    """Ours, since secrets may be named there; temporary files stay in the data directory, where others cannot look."""
    return {**os.environ, "PYTHONUNBUFFERED": "1", "TZ": "UTC", "TMPDIR": str(scratch)}


def _reason(code: int) -> str:
    return f"signal {signal.Signals(-code).name}" if code < 0 else f"exit code {code}"

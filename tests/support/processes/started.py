"""`tallenne up` with a configuration of one's own, as an operator starts it: a process, its output, its commands."""

from __future__ import annotations

import json
import os
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[3]
READY_S = 150.0  # on a machine that does much else


@dataclass(slots=True, kw_only=True)
class Started:
    """``directory``: where it was started, with its configuration, secrets and ``data``."""

    directory: Path
    process: subprocess.Popen[bytes]
    config: str | None

    @property
    def output(self) -> str:
        """What it has printed so far."""
        return (self.directory / "up.out").read_text(errors="replace")

    def run(self, *words: str | Path, code: int = 0, timeout_s: float = 120) -> str:
        """A `tallenne` command beside it; what it prints, errors included."""
        return tallenne(self.directory, *words, *self._place(), code=code, timeout_s=timeout_s)

    def json(self, *words: str | Path) -> Any:
        """A `tallenne` command's JSON."""
        return json.loads(self.run(*words, "--json"))

    def statuses(self) -> dict[str, dict[str, Any]]:
        """The roles' status files."""
        found = [json.loads(path.read_text()) for path in (self.directory / "data" / "run").glob("*-*.json")]
        return {status["role"]: status for status in found if "role" in status}

    def problems(self) -> str:
        """Everything that the roles complain of now."""
        told = [problem for status in self.statuses().values() for problem in status.get("problems", [])]
        return " ".join(f"{problem['what']} {problem['remedy']}" for problem in told)

    def broker(self) -> tuple[int, str]:
        """The embedded broker's port, and the doors' password there."""
        endpoints = json.loads((self.directory / "data" / "run" / "endpoints.json").read_text())
        password = (self.directory / "data" / "broker" / "tallenne_doors.secret").read_text().strip()
        return endpoints["broker"]["port"], password

    def _place(self) -> tuple[str, ...]:
        return ("--config", self.config) if self.config else ("--data", "data")


def tallenne(directory: Path, *words: str | Path, code: int | None = 0, timeout_s: float = 120) -> str:
    """Run a `tallenne` command in ``directory``; ``code``: the exit code that is wanted, None for any."""
    command = [sys.executable, "-m", "pipeline.cli", *map(str, words)]
    done = subprocess.run(
        command, cwd=directory, env=_environment(), capture_output=True, text=True, timeout=timeout_s, check=False
    )
    assert code is None or done.returncode == code, done.stdout + done.stderr
    return done.stdout + done.stderr


def start(directory: Path, *words: str, prefix: tuple[str, ...] = ()) -> subprocess.Popen[bytes]:
    """`tallenne up` in ``directory``, its output in ``up.out``; not waited for."""
    with (directory / "up.out").open("ab") as out:
        return subprocess.Popen(
            [*prefix, sys.executable, "-m", "pipeline.cli", "up", *words],
            cwd=directory,
            env=_environment(),
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=subprocess.STDOUT,
        )


@contextmanager
def started(
    directory: Path, config: str | None = "tallenne.toml", *words: str, prefix: tuple[str, ...] = ()
) -> Iterator[Started]:
    """Within the block it is ready; stopped in good order afterwards."""
    chosen = ("--config", config) if config else ("--data", "data")
    process = start(directory, *chosen, *words, prefix=prefix)
    running = Started(directory=directory, process=process, config=config)
    try:
        wait_for(lambda: "Staff pages:" in running.output or process.poll() is not None, READY_S)
        assert process.poll() is None, running.output
        yield running
    finally:
        stop(process)


def open_to_others(data: Path) -> list[str]:
    """What of a data directory other users may read, write or enter, whatever their way there; links have no mode.

    SeaweedFS gives the descriptions of its volumes (.vif: version and layout) mode 644 itself, within closed folders.
    """
    found = [data, *(path for path in data.rglob("*") if not path.is_symlink() and path.suffix != ".vif")]
    modes = {path: stat.S_IMODE(path.lstat().st_mode) for path in found if path.exists()}
    return [f"{path.relative_to(data)} {mode:o}" for path, mode in modes.items() if mode & 0o077]


def stop(process: subprocess.Popen[bytes]) -> None:
    if process.poll() is None:
        process.send_signal(signal.SIGTERM)
    try:
        process.wait(60)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
        raise


def wait_for(met: Callable[[], Any], timeout_s: float = 60) -> Any:
    """The first true value of ``met``; AssertionError when there is none in time."""
    deadline = time.monotonic() + timeout_s
    while not (found := met()):
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.2)
    return found


def _environment() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}  # as an operator has it

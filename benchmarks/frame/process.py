"""Pinned child processes that say when they are ready and what they counted.

A child prints JSON lines on standard output: ``{"ready": ...}`` once, ``{"report": ...}`` when asked. It is asked by
lines on its standard input: ``report``, ``stop``. A child whose standard input closes ends by itself, so that nothing
outlives a benchmark that was killed.
"""

from __future__ import annotations

import json
import os
import queue
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any

from domain.errors import MisuseError


class ChildError(MisuseError):
    """A benchmark's child did not start, or did not answer."""


class Child:
    """A running child. Not thread-safe."""

    def __init__(self, name: str, process: subprocess.Popen[str]) -> None:
        self.name = name
        self.pid = process.pid
        self._process = process
        self._lines: queue.Queue[str | None] = queue.Queue(maxsize=10_000)
        self._reader = threading.Thread(target=self._pump, name=f"read {name}", daemon=True)
        self._reader.start()

    def _pump(self) -> None:
        stdout = self._process.stdout
        assert stdout is not None
        for line in stdout:
            self._lines.put(line)
        self._lines.put(None)

    def wait_for(self, key: str, timeout_s: float) -> Any:
        """The value of the next line that has ``key``. ChildError when the child ends or stays silent."""
        while True:
            try:
                line = self._lines.get(timeout=timeout_s)
            except queue.Empty:
                raise ChildError(f"{self.name} did not say {key!r} within {timeout_s:.0f} s.") from None
            if line is None:
                raise ChildError(f"{self.name} ended with status {self._process.wait()} before it said {key!r}.")
            if line.startswith("{") and key in (said := json.loads(line)):
                return said[key]

    def check(self) -> None:
        """ChildError when it has ended."""
        if self._process.poll() is not None:
            raise ChildError(f"{self.name} ended with status {self._process.returncode}.")

    def report(self, timeout_s: float = 20.0) -> Any:
        """What the child counted so far."""
        try:
            self._say("report")
        except OSError as exc:
            raise ChildError(f"{self.name} ended with status {self._process.wait()}.") from exc
        return self.wait_for("report", timeout_s)

    def _say(self, word: str) -> None:
        stdin = self._process.stdin
        assert stdin is not None
        stdin.write(word + "\n")
        stdin.flush()

    def stop(self, timeout_s: float = 20.0) -> None:
        """Ask it to end, by force after ``timeout_s``."""
        if self._process.poll() is None:
            with suppress(OSError):
                self._say("stop")
            try:
                self._process.wait(timeout_s)
            except subprocess.TimeoutExpired:
                self._process.kill()
        self._process.wait()
        self._reader.join()
        for stream in (self._process.stdin, self._process.stdout):
            if stream is not None:
                with suppress(OSError):
                    stream.close()


@contextmanager
def child(
    name: str, module: str, arguments: Sequence[str], *, core: int | None, parameters: Any = None
) -> Iterator[Child]:
    """``python -m module`` pinned to ``core`` (None: anywhere), given ``parameters`` as one JSON line on its input."""
    process = subprocess.Popen(
        [sys.executable, "-m", module, *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    if core is not None:
        os.sched_setaffinity(process.pid, {core})
    running = Child(name, process)
    try:
        if parameters is not None:
            running._say(json.dumps(parameters))
        yield running
    finally:
        running.stop()

"""Simulated cameras on a core of their own: ``demo.rtsp_server`` as a process, with its own account of itself."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.frame.process import ChildError
from pipeline.embedded.process import die_with_parent


@dataclass(slots=True, kw_only=True)
class Cameras:
    """Listening. ``account`` is filled in when they have stopped (demo/rtsp_server.py says what is in it)."""

    pid: int
    urls: list[str]
    bit_rate: int  # of one camera, as sent
    account: dict[str, Any] = field(default_factory=dict)


@contextmanager
def cameras(count: int, film: Path) -> Iterator[Cameras]:
    """On the starter's core. ChildError when they do not start."""
    command = [sys.executable, "-m", "demo.rtsp_server", "--cameras", str(count), "--file", str(film)]
    process = subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True, preexec_fn=die_with_parent
    )
    assert process.stdout is not None
    try:
        first = process.stdout.readline()
        if not first:
            raise ChildError(f"The simulated cameras ended with status {process.wait()}.")
        said = json.loads(first)
        running = Cameras(pid=process.pid, urls=said["urls"], bit_rate=said["bit_rate"])
        try:
            yield running
        finally:
            process.send_signal(signal.SIGTERM)
            last, _ = process.communicate(timeout=20)
            running.account.update(json.loads(last) if last.strip() else {})
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()

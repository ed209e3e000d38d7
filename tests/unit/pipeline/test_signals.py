"""Which signals stop a process, under nohup, in the background of a shell, with a terminal and without."""

from __future__ import annotations

import os
import pty
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
PROGRAM = (
    "import asyncio\nfrom pipeline.signals import stop_event\n"
    "async def main():\n    stop = stop_event()\n    print('ready', flush=True)\n    await stop.wait()\n"
    "asyncio.run(main())\nprint('stopped', flush=True)\n"
)


def ignoring(*numbers: signal.Signals) -> Callable[[], None]:
    """In the child, before it runs: what the shell does."""

    def prepare() -> None:
        for number in (signal.SIGHUP, signal.SIGINT, signal.SIGQUIT, signal.SIGTERM):  # whatever the tests' shell does
            signal.signal(number, signal.SIG_IGN if number in numbers else signal.SIG_DFL)

    return prepare


def survives(number: signal.Signals, prepare: Callable[[], None], *, terminal: bool = False) -> bool:
    """Whether the process goes on after a signal; SIGTERM ends it in good order either way."""
    shell, mine = pty.openpty() if terminal else (None, subprocess.DEVNULL)
    child = subprocess.Popen(
        [sys.executable, "-c", PROGRAM],
        cwd=ROOT,
        stdin=mine,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        preexec_fn=(lambda: (prepare(), _take_terminal())) if terminal else prepare,
    )
    assert child.stdout is not None
    assert child.stdout.readline() == "ready\n"
    child.send_signal(number)
    deadline = time.monotonic() + 1.5
    while child.poll() is None and time.monotonic() < deadline:
        time.sleep(0.05)
    alive = child.poll() is None
    if alive:
        child.send_signal(signal.SIGTERM)
    out, _ = child.communicate(timeout=20)
    assert (out, child.returncode) == ("stopped\n", 0)
    if shell is not None:
        os.close(shell)
        os.close(mine)
    return alive


def _take_terminal() -> None:
    os.close(os.open(os.ttyname(0), os.O_RDWR))  # the first one that a session's leader opens controls it


def test_under_nohup_the_terminal_may_go() -> None:
    assert survives(signal.SIGHUP, ignoring(signal.SIGHUP))
    assert survives(signal.SIGHUP, ignoring(signal.SIGHUP), terminal=True)


def test_a_service_without_a_terminal_goes_on_when_its_log_is_rotated() -> None:
    assert survives(signal.SIGHUP, ignoring())


def test_the_end_of_its_terminal_stops_it() -> None:
    assert not survives(signal.SIGHUP, ignoring(), terminal=True)


def test_in_the_background_of_a_script_ctrl_c_is_not_for_it() -> None:
    assert survives(signal.SIGINT, ignoring(signal.SIGINT, signal.SIGQUIT))
    assert not survives(signal.SIGINT, ignoring())


@pytest.mark.parametrize("prepare", [ignoring(), ignoring(signal.SIGTERM)])
def test_sigterm_always_stops(prepare: Callable[[], None]) -> None:
    assert not survives(signal.SIGTERM, prepare)

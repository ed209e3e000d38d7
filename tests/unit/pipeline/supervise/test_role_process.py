"""A role that is stuck, by spinning or because it was stopped, is started again; one that works is left alone."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from pipeline.supervise import role_process
from pipeline.supervise.role_process import RoleProcess, waits_for_disk
from pipeline.supervise.supervision import _restarting
from pipeline.supervise.tell import Tell

ROLE = """
import asyncio, faulthandler, pathlib, signal, sys
from runtime import heartbeat, supervise
from runtime.problems import Problems
heartbeat.BEAT_S = 0.02
supervise.ROUND_S = 0.5
faulthandler.register(signal.SIGUSR2)
def spin():
    while True: pass
async def role():
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    with open(sys.argv[1], "a") as file: file.write("begun\\n")
    if sys.argv[2] == "end": sys.exit(1)
    async with heartbeat.beating(supervise.stuck), supervise.supervised(Problems()) as tasks:
        if sys.argv[2] == "await": tasks.every(1, "hour keys", asyncio.Event().wait)
        await asyncio.sleep(0.1)
        if sys.argv[2] == "spin": spin()
        await stop.wait()
asyncio.run(role())
"""


@contextlib.asynccontextmanager
async def running(folder: Path, kind: str, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[RoleProcess]:
    monkeypatch.setattr(role_process, "BEAT_S", 0.2)
    monkeypatch.setattr(role_process, "_GRACE_S", 1.0)
    process = RoleProcess("ingest", [], folder / "log", folder, Tell(quiet=True))
    process._command = [sys.executable, "-c", ROLE, str(folder / "begun"), kind]
    task = asyncio.create_task(process.run())
    process.let_go()
    try:
        yield process
    finally:
        await process.stop()
        await task


def begun(folder: Path) -> int:
    return len((folder / "begun").read_text().split()) if (folder / "begun").exists() else 0


async def until(true: Callable[[], bool]) -> None:
    async with asyncio.timeout(60):
        while not true():  # noqa: ASYNC110
            await asyncio.sleep(0.02)


async def test_role_whose_loop_spins_is_started_again_and_says_where_it_stood(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with running(tmp_path, "spin", monkeypatch) as process:
        await until(lambda: begun(tmp_path) >= 2)
        assert process.restarts.total >= 1
    assert "in spin" in (tmp_path / "log").read_text()


async def test_role_that_awaits_for_ever_is_started_again_and_says_what_it_did(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with running(tmp_path, "await", monkeypatch):
        await until(lambda: begun(tmp_path) >= 2)
    assert "hour keys persists" in (tmp_path / "log").read_text()


async def test_role_that_ends_at_each_start_becomes_a_problem_and_is_tried_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(role_process, "_LONGEST_PAUSE_S", 0.2)
    async with running(tmp_path, "end", monkeypatch) as process:
        await until(lambda: process.restarts.often(time.monotonic()))
        before = begun(tmp_path)
        await until(lambda: begun(tmp_path) > before)
        problem = _restarting(process)
    assert problem is not None
    assert "ingest ends again and again" in str(problem)


async def test_role_that_is_stopped_is_started_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with running(tmp_path, "work", monkeypatch) as process:
        await until(lambda: begun(tmp_path) == 1)
        first = process.pid
        assert first is not None
        os.kill(first, signal.SIGSTOP)
        await until(lambda: begun(tmp_path) == 2)
        assert process.pid != first


async def test_role_that_works_is_left_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with running(tmp_path, "work", monkeypatch) as process:
        await until(lambda: begun(tmp_path) == 1)
        await asyncio.sleep(4.0)  # twenty looks
        assert process.restarts.total == 0
    assert begun(tmp_path) == 1


async def test_role_that_is_restarted_has_no_pid_until_it_is_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with running(tmp_path, "work", monkeypatch) as process:
        await until(lambda: begun(tmp_path) == 1)
        first = process.pid
        process.restart()
        assert process.pid is None
        await until(lambda: begun(tmp_path) == 2)
        assert process.pid not in (None, first)
        assert process.restarts.total == 0


@pytest.mark.parametrize(("state", "waits"), [("D", True), ("R", False), ("T", False)])
def test_role_that_waits_for_a_slow_disk_is_not_stuck(tmp_path: Path, state: str, waits: bool) -> None:
    (tmp_path / "7").mkdir()
    (tmp_path / "7" / "stat").write_text(f"7 (a) D) {state} 1 7 7 0 -1")
    assert waits_for_disk(7, tmp_path) is waits
    assert not waits_for_disk(8, tmp_path)

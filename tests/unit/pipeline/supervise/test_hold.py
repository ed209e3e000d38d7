"""A role that is held does nothing before it is let go, and does not outlive the one who holds it."""

from __future__ import annotations

import asyncio
import contextlib
import os
import subprocess
import sys
from pathlib import Path

import pytest

from pipeline.exit_codes import RETRY
from pipeline.supervise.hold import VARIABLE, Held, hold
from pipeline.supervise.role_process import RoleProcess
from pipeline.supervise.tell import Tell

ROLE = """
from pipeline.supervise.hold import hold
print('loaded', flush=True)
hold()
print('begun', flush=True)
input()
"""


def start(held: Held) -> subprocess.Popen[bytes]:
    with held.theirs() as stdin:
        return subprocess.Popen(
            [sys.executable, "-c", ROLE], stdin=stdin, stdout=subprocess.PIPE, env={**os.environ, VARIABLE: "1"}
        )


def test_role_goes_on_when_it_is_let_go_and_not_before() -> None:
    with contextlib.closing(Held()) as held, start(held) as role:
        assert role.stdout is not None
        assert role.stdout.readline() == b"loaded\n"
        os.set_blocking(role.stdout.fileno(), False)
        with pytest.raises(BlockingIOError):
            os.read(role.stdout.fileno(), 1)
        os.set_blocking(role.stdout.fileno(), True)
        held.let_go()
        assert role.stdout.readline() == b"begun\n"
        role.kill()


def test_role_ends_with_the_one_who_holds_it() -> None:
    held = Held()
    with start(held) as role:
        held.close()
        assert role.wait(30) == RETRY


def test_role_that_is_not_held_goes_on_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(VARIABLE, raising=False)
    hold()


def test_letting_a_role_go_that_has_ended_is_no_error() -> None:
    with contextlib.closing(Held()) as held:
        with held.theirs():
            pass
        held.let_go()


async def test_role_that_is_started_again_is_not_held_again(tmp_path: Path) -> None:
    process = RoleProcess("ingest", [], tmp_path / "log", tmp_path, Tell(quiet=True))
    process._command = [sys.executable, "-c", ROLE.replace("input()", "raise SystemExit(1)")]
    task = asyncio.create_task(process.run())

    def begun() -> int:
        return (tmp_path / "log").read_text().count("begun") if (tmp_path / "log").exists() else 0

    async with asyncio.timeout(60):
        while "loaded" not in ((tmp_path / "log").read_text() if (tmp_path / "log").exists() else ""):  # noqa: ASYNC110
            await asyncio.sleep(0.02)
        assert begun() == 0
        process.let_go()
        while begun() < 2:  # noqa: ASYNC110
            await asyncio.sleep(0.02)
    await process.stop()
    await task

"""Waiting for roles: one of the process before does not count, and "degraded" is not enough where more is asked."""

from __future__ import annotations

import asyncio
import json
import os
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from pipeline.errors import ServiceError, SetupError
from pipeline.supervise.ready import wait_ready


def role(pid: int | None, misuse: str = "") -> Any:
    return SimpleNamespace(name="index", pid=pid, misuse=misuse)


def say(folder: Path, state: str, pid: int | None = None, **more: Any) -> None:
    said = {"role": "index", "state": state, "pid": pid or os.getpid(), "updated_mono_ns": time.monotonic_ns(), **more}
    (folder / "index-0.json").write_text(json.dumps(said))


async def waits(folder: Path, process: Any, **more: Any) -> bool:
    try:
        await wait_ready(folder, [process], timeout_s=0.05, **more)
    except ServiceError:
        return True
    return False


@pytest.mark.parametrize(("state", "expected"), [("ready", False), ("degraded", False), ("starting", True)])
async def test_role_is_waited_for_until_it_is_up(tmp_path: Path, state: str, expected: bool) -> None:
    say(tmp_path, state)
    assert await waits(tmp_path, role(os.getpid())) == expected


async def test_role_that_is_being_restarted_is_waited_for(tmp_path: Path) -> None:
    say(tmp_path, "ready", pid=os.getpid())
    assert await waits(tmp_path, role(None))
    assert await waits(tmp_path, role(os.getppid()))  # the status is of the process before


async def test_what_is_asked_for_beyond_being_up_is_waited_for(tmp_path: Path) -> None:
    def subscribed(status: Any) -> bool:
        return bool(status.get("subscribed"))

    say(tmp_path, "degraded", subscribed=False, problems=[{"what": "The broker is away.", "remedy": "Start it."}])
    with pytest.raises(ServiceError, match="The broker is away"):
        await wait_ready(tmp_path, [role(os.getpid())], timeout_s=0.05, ready=subscribed)
    say(tmp_path, "degraded", subscribed=True)
    assert not await waits(tmp_path, role(os.getpid()), ready=subscribed)


async def test_stop_and_misuse_end_the_waiting(tmp_path: Path) -> None:
    stop = asyncio.Event()
    stop.set()
    await wait_ready(tmp_path, [role(None)], timeout_s=60, stop=stop)
    with pytest.raises(SetupError, match="unknown decoder"):
        await wait_ready(tmp_path, [role(None, "tallenne: unknown decoder.")], timeout_s=60)

"""The role's own tick: what goes wrong with one camera is that camera's loss."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast
from uuid import uuid4

import pytest

from domain.ids import CameraId
from ingest.role import _Role, _Said
from runtime.problems import Problems
from runtime.status import StatusFile, read_status_files


class Ticking:
    def __init__(self, name: str, error: Exception | None = None) -> None:
        self.settings = SimpleNamespace(name=name)
        self.ticks = 0
        self._error = error

    def tick(self) -> None:
        self.ticks += 1
        if self._error is not None:
            raise self._error


async def test_a_camera_whose_tick_fails_is_told_once_and_the_others_go_on(caplog: pytest.LogCaptureFixture) -> None:
    anything = cast("Any", None)
    problems = Problems()
    role = _Role(anything, anything, anything, problems, asyncio.Event())
    broken, other = Ticking("broken", RuntimeError("not foreseen")), Ticking("other")
    role._cameras = cast("Any", {CameraId(uuid4()): one for one in (broken, other)})
    with caplog.at_level(logging.ERROR), contextlib.suppress(TimeoutError):
        async with asyncio.timeout(0.9):
            await role.tick()
    assert broken.ticks == other.ticks >= 2
    assert [each["what"] for each in problems.present()] == ["camera broken: a programming error (RuntimeError)."]
    assert caplog.text.count("camera broken: a programming error") == 1


async def test_status_is_written_before_there_are_cameras_and_after(tmp_path: Path) -> None:
    said = _Said(StatusFile(tmp_path, "ingest"), Problems())
    seen = []

    async def write() -> str:
        await said.write()
        return str(read_status_files(tmp_path)[0]["state"])

    seen.append(await write())
    said.report = lambda: said.status.write("ready")
    seen.append(await write())
    said.report, said.state = None, "stopping"
    seen.append(await write())
    assert seen == ["starting", "ready", "stopping"]

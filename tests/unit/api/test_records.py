"""What the roles say of themselves is read anew at every question, with its age."""

from __future__ import annotations

from pathlib import Path

from api.records import Statuses
from runtime.status import StatusFile


async def test_statuses_are_those_of_now(tmp_path: Path) -> None:
    here = Statuses(run_directory=tmp_path)
    assert await here.now() == []
    StatusFile(tmp_path, "index").write("ready")
    assert [status["state"] for status in await here.now()] == ["ready"]
    StatusFile(tmp_path, "index", period_s=-1).write("ready")  # three periods are over at once
    assert [status["state"] for status in await here.now()] == ["unknown"]

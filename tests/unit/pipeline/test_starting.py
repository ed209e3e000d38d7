"""A start on a disk that takes no writes: it is said, people are written to, and the start goes on once it can."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from alarms.watch import snapshot
from pipeline import starting
from pipeline.config.load import load
from pipeline.installation import Installation
from pipeline.starting import wait_until_writable
from pipeline.supervise.disk import DiskTroubleError
from tests.support.alarms.mailbox import Mailbox

SITE = """
[[site]]
name = "Gym"
[alarms]
name = "Gym"
delay_s = {{ read_only = 0.1 }}
[alarms.mail]
host = "127.0.0.1"
port = {port}
tls = "none"
sender = "gym@example.org"
recipients = ["anna@example.org"]
"""


class Said(list[str]):
    """In place of `up`'s output."""

    line = list.append


@pytest.fixture
def read_only(monkeypatch: pytest.MonkeyPatch) -> list[bool]:
    """Whether the disk is; a list of one."""
    holds = [True]
    problem = DiskTroubleError("The disk under data is read-only.", "Make it writable.")
    monkeypatch.setattr(starting, "disk_problem", lambda _: problem if holds[0] else None)
    monkeypatch.setattr(starting, "takes_no_writes", lambda _: holds[0])
    disk = snapshot._disk

    def looked(path: Path) -> Any:
        found = disk(path)
        return found if found is None or not holds[0] else replace(found, refusal="Read-only file system")

    monkeypatch.setattr(snapshot, "_disk", looked)
    return holds


async def test_start_on_a_read_only_disk_is_said_and_mailed_and_goes_on(tmp_path: Path, read_only: list[bool]) -> None:
    installation = Installation(tmp_path / "data")
    installation.prepare()
    mailbox, said = Mailbox(), Said()
    mailbox.open()
    try:
        file = tmp_path / "tallenne.toml"
        file.write_text(SITE.format(port=mailbox.port))
        waiting = asyncio.create_task(
            wait_until_writable(load(file), installation, said, asyncio.Event())  # type: ignore[arg-type]
        )
        async with asyncio.timeout(30):
            while not mailbox.mails:  # noqa: ASYNC110
                await asyncio.sleep(0.05)
        assert not waiting.done()
        assert "cannot be written to (Read-only file system)" in mailbox.subjects()[0]
        read_only[0] = False
        await asyncio.wait_for(waiting, 30)
    finally:
        mailbox.close()
    assert "is read-only" in said[0] and "It is tried again" in said[0]
    assert "read_only" in (installation.alarms / "alarms.json").read_text()  # the role sends the all-clear


async def test_start_on_a_read_only_disk_can_be_stopped(tmp_path: Path, read_only: list[bool]) -> None:
    assert read_only
    stop = asyncio.Event()
    stop.set()
    with pytest.raises(DiskTroubleError, match="is read-only"):
        await wait_until_writable(None, Installation(tmp_path), Said(), stop)  # type: ignore[arg-type]

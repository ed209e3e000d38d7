"""The role backup as a process, to be killed: ``python -m tests.support.processes.backup_process <task>``.

A new set each time, three rounds of the log, old sets removed. What a round has acknowledged is noted.
"""

from __future__ import annotations

import asyncio
import pickle
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from storage.backup import BackupDirectory
from upkeep.backup.role import Backups
from upkeep.backup.settings import BackupSettings


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    settings: BackupSettings
    ahead_ns: int  # of this machine's clock
    account: Path


async def main(task: Task) -> None:
    assert task.settings.place.directory is not None
    place = BackupDirectory(task.settings.place.directory)
    backups = Backups(task.settings, place, clock_ns=lambda: time.time_ns() + task.ahead_ns)
    for _ in range(2):
        await backups.log_once()
        if backups.newest is not None:
            with task.account.open("a") as account:
                account.write(f"{backups.newest.last_ns}\n")
        await backups.base_once()
    await backups.log_once()
    await backups.keep_once()


def start(file: str) -> None:
    """Back up as the task in ``file`` says."""
    asyncio.run(main(pickle.loads(Path(file).read_bytes())))  # noqa: S301 our own test wrote it


if __name__ == "__main__":
    start(sys.argv[1])

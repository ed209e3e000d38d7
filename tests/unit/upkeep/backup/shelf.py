"""A place of backups in memory, and a set without a database in it."""

from __future__ import annotations

from pathlib import Path

from storage.backup import BackupDamagedError, BackupExistsError, RecoveryKey
from upkeep.backup.settings import BackupSource
from upkeep.backup.state import SetState
from upkeep.backup.writer import SetWriter, new_set

KEY = RecoveryKey(bytes(range(32)))


class MemoryPlace:
    """``lost``: so many answers are lost after the part was written."""

    def __init__(self) -> None:
        self.parts: dict[str, bytes] = {}
        self.lost = 0

    async def prepare(self) -> None:
        pass

    async def put(self, name: str, data: bytes) -> None:
        if name in self.parts:
            raise BackupExistsError(name)
        self.parts[name] = data
        if self.lost:
            self.lost -= 1
            raise OSError("no answer")

    async def get(self, name: str) -> bytes:
        if name not in self.parts:
            raise BackupDamagedError(f"{name} is missing")
        return self.parts[name]

    async def names(self, prefix: str = "") -> list[str]:
        return sorted(name for name in self.parts if name.startswith(prefix))

    async def delete(self, name: str) -> None:
        self.parts.pop(name, None)


def source(file: Path) -> BackupSource:
    return BackupSource(database=None, cluster=file.parent / "cluster", files={"data/file": file})


async def written(place: MemoryPlace, file: Path, now_ns: int) -> tuple[SetState, SetWriter]:
    """A whole set that began at ``now_ns``."""
    state = new_set(lambda: now_ns)
    writer = SetWriter(place, source(file), state, clock_ns=lambda: now_ns)
    await writer.begin(KEY.writing(), None)
    return state, writer

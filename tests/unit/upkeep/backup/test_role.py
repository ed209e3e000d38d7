"""What the role says of its sets is what the place holds now. With a real cluster: tests/integration/upkeep/backup."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from runtime.private_files import private_directory
from storage.backup.errors import BackupPlaceError
from tests.unit.upkeep.backup.shelf import KEY, MemoryPlace, source
from upkeep.backup.reader import choose, furthest
from upkeep.backup.role import Backups
from upkeep.backup.settings import BackupPlaceSettings, BackupSettings
from upkeep.backup.state import write_keys

HOUR_NS = 3600 * 10**9


class Clock:
    def __init__(self) -> None:
        self.now_ns = 1_796_000_000_000_000_000

    def __call__(self) -> int:
        return self.now_ns


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def place() -> MemoryPlace:
    return MemoryPlace()


@pytest.fixture
def backups(tmp_path: Path, place: MemoryPlace, clock: Clock) -> Backups:
    """Of an installation whose PostgreSQL is the operator's: files alone."""
    file = tmp_path / "file"
    file.write_bytes(b"one")
    directory = private_directory(tmp_path / "backup")
    write_keys(directory, KEY.writing())
    settings = BackupSettings(
        source=replace(source(file), database=None),
        place=BackupPlaceSettings(directory=tmp_path / "place"),
        directory=directory,
        run_directory=tmp_path,
    )
    return Backups(settings, place, clock_ns=clock)


async def test_first_set_is_counted_at_once(backups: Backups, clock: Clock) -> None:
    await backups.keep_once()  # at the start, when there is none
    assert backups.report()["sets"] == 0
    begun_ns = clock.now_ns
    assert await backups.base_once()
    report = backups.report()
    assert (report["sets"], report["oldest_ns"]) == (1, begun_ns)
    clock.now_ns += 24 * HOUR_NS
    assert await backups.base_once()
    assert backups.report()["sets"] == 2


async def test_newest_set_that_somebody_removed_is_said_and_begun_anew(
    backups: Backups, place: MemoryPlace, clock: Clock
) -> None:
    await backups.base_once()
    older = (await choose(place)).set_id
    clock.now_ns += 24 * HOUR_NS
    await backups.base_once()
    newest = (await choose(place)).set_id
    await backups.keep_once()  # nothing is wrong yet
    for name in [name for name in place.parts if name.startswith(newest)]:
        del place.parts[name]
    assert (await furthest(place, KEY)).set_id == older  # what a restoration would take
    with pytest.raises(BackupPlaceError, match=f"lacks parts of the newest set {newest}"):
        await backups.keep_once()
    clock.now_ns += 10**9
    assert await backups.base_once()
    assert (await choose(place)).set_id not in (older, newest)
    await backups.keep_once()


async def test_part_of_the_log_that_somebody_removed_is_said(
    backups: Backups, place: MemoryPlace, clock: Clock, tmp_path: Path
) -> None:
    await backups.base_once()
    for text in (b"two", b"three"):
        (tmp_path / "file").write_bytes(text)
        clock.now_ns += 10**9
        await backups.log_once()
    await backups.keep_once()
    logs = sorted(name for name in place.parts if "/log-" in name)
    del place.parts[logs[-2]]
    with pytest.raises(BackupPlaceError, match="lacks parts of the newest set"):
        await backups.keep_once()

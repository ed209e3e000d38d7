"""When a drill is due."""

from __future__ import annotations

from pathlib import Path

import pytest

from domain.time import DAY_NS, HOUR_NS
from pipeline.backup.schedule import DrillSchedule
from pipeline.config.load import load
from pipeline.installation import Installation
from runtime.private_files import private_directory
from storage.backup import RecoveryKey
from tests.support.configuration import GOOD, written
from upkeep.backup.drills import write_drill
from upkeep.backup.state import BackupState
from upkeep.backup.writer import new_set

NOW_NS = 1_796_000_000_000_000_000
PLACE = '\n[backup]\ndirectory = "backups"\n'


def schedule(folder: Path, text: str = GOOD + PLACE) -> DrillSchedule:
    loaded = load(written(folder, text))
    return DrillSchedule(loaded, Installation(folder), clock_ns=lambda: NOW_NS)


def backed_up(folder: Path, age_ns: int = 7 * HOUR_NS, *, complete: bool = True) -> Path:
    directory = private_directory(folder / "backup")
    state = BackupState(current=new_set(lambda: NOW_NS - age_ns))
    assert state.current is not None
    state.current.complete = complete
    state.save(directory)
    return directory


def test_first_drill_is_due_once_there_is_a_backup_of_some_hours(tmp_path: Path) -> None:
    assert not schedule(tmp_path).due()
    backed_up(tmp_path, HOUR_NS)
    assert not schedule(tmp_path).due()
    backed_up(tmp_path)
    assert schedule(tmp_path).due()
    assert not schedule(tmp_path, GOOD).due()
    backed_up(tmp_path, complete=False)
    assert not schedule(tmp_path).due()


@pytest.mark.parametrize(
    ("drills", "due"),
    [
        ([(31, True)], True),
        ([(29, True)], False),
        ([(31, True), (2, False)], True),  # a failed one is tried again after a day
        ([(31, True), (0.5, False)], False),
    ],
)
def test_drill_is_due_a_month_after_the_last_good_one(
    tmp_path: Path, drills: list[tuple[float, bool]], due: bool
) -> None:
    directory = backed_up(tmp_path)
    for age_d, ok in drills:
        write_drill(directory, {"at_ns": NOW_NS - round(age_d * DAY_NS), "ok": ok}, RecoveryKey.generate().writing())
    assert schedule(tmp_path).due() is due

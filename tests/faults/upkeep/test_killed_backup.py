"""The role backup killed at every step, ``--rounds`` times each.

At any moment the set that a restoration takes holds what the last round acknowledged; in the end half-written sets are
gone, and what is restored is the database.
"""

from __future__ import annotations

import pickle
import random
import re
import signal
from pathlib import Path

import pytest

import upkeep
from domain.time import HOUR_NS
from runtime.failpoints import LOG_VARIABLE, VARIABLE
from tests.integration.upkeep.backup.test_backup import KEY, Gym, gym
from tests.support.processes.backup_process import Task
from tests.support.processes.forks import Forks, forks
from upkeep.backup.reader import SetReader, furthest, key_of, list_sets
from upkeep.backup.settings import BackupPeriods, BackupPlaceSettings, BackupSettings

pytestmark = [pytest.mark.slow, pytest.mark.services, pytest.mark.timeout(3600)]

WRITING = ("backup.head", "backup.part", "backup.copied", "backup.base", "backup.log", "backup.put", "backup.state")
PLACES = (*WRITING, "backup.removed")
ELSEWHERE = {"restore.file", "restore.log", "replica.copied"}  # tests/integration/pipeline, and the replica's unit test
PROCESS = "tests.support.processes.backup_process"


class Stage:
    def __init__(self, now: Gym, made: Forks, directory: Path) -> None:
        self.now, self.forks, self.directory = now, made, directory
        self.runs = 0
        self.settings = BackupSettings(
            source=now.source,
            place=BackupPlaceSettings(directory=directory / "place"),
            directory=now.directory,
            run_directory=directory,
            periods=BackupPeriods(keep_d=2),
        )

    async def run(self, specification: str = "") -> bool:
        """Whether it was killed. Each run is a day later: a new set begins, and an old one goes."""
        self.runs += 1
        await self.now.add(5)
        task = Task(settings=self.settings, ahead_ns=self.runs * 25 * HOUR_NS, account=self.directory / "account")
        file, log = self.directory / "task.pickle", self.directory / "backup.log"
        file.write_bytes(pickle.dumps(task))
        environment = {VARIABLE: specification, LOG_VARIABLE: str(self.directory / "strikes")}
        code = await self.forks.run(PROCESS, str(file), environment if specification else {}, log)
        assert code in (0, -signal.SIGKILL), log.read_text()[-3000:]
        await self.check()
        return code != 0

    async def check(self) -> None:
        account = self.directory / "account"
        if not account.exists():
            return
        listing = await furthest(self.now.place, KEY)
        reader = SetReader(self.now.place, listing, await key_of(self.now.place, listing.set_id, KEY))
        opened = await reader.open(None)
        assert opened.at_ns >= int(account.read_text().split()[-1])


async def test_role_killed_at_any_step_leaves_a_good_backup(
    tmp_path: Path, rounds_asked: int | None, seed: int
) -> None:
    dice = random.Random(seed)
    async with gym(tmp_path) as now, forks(PROCESS) as made:
        stage = Stage(now, made, tmp_path)
        await stage.run()
        await stage.run()
        for place in PLACES:
            hits = list[int]()
            while len(hits) < (rounds_asked or 2):
                hit = dice.randint(1, 3)
                if not await stage.run(f"{place}=kill@{hit}"):  # a small database has one part
                    hit = 1
                    assert await stage.run(f"{place}=kill"), place
                hits.append(hit)
            print(f"{place}: {len(hits)} kills, at hits {sorted(hits)}")
        assert not await stage.run()
        assert not await stage.run()
        sets = await list_sets(now.place)
        assert [one for one in sets if one.half] == []
        assert len(sets) <= 4
        then = await now.members()
        await now.backups_ahead(stage.runs * 25 * HOUR_NS)
        assert (await now.restored())[1] == then


def test_every_failpoint_of_backups_is_in_the_list() -> None:
    """A new place is tested from the day it is named."""
    folder = Path(next(iter(upkeep.__path__))) / "backup"
    named = {
        name
        for path in folder.glob("*.py")
        for name in re.findall(r'\b(?:hit\(|failpoint=)"([a-z.]+)"', path.read_text())
    }
    assert named == {*PLACES, *ELSEWHERE} - {"backup.put"}

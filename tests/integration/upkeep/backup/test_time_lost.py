"""How much time is lost with a machine: events are acknowledged without a pause, and the machine is gone at any moment.

The role backup runs as it is, with its own rounds. What lies in the backups' place at the moment of each loss is
restored, and held against what had been acknowledged. ``TALLENNE_EVERY_S``: the period of the rounds (the default of a
configuration is 120), ``TALLENNE_LOSSES``: how many losses. Printed with ``-s``.
"""

from __future__ import annotations

import asyncio
import json
import os
import random
import shutil
import time
from pathlib import Path

import pytest

from domain.time import NS
from runtime.database import connect
from storage.backup import BackupDirectory
from tests.integration.upkeep.backup.test_backup import Gym, gym
from tests.support.footage.custodian import until
from upkeep.backup.role import run
from upkeep.backup.settings import BackupPeriods, BackupPlaceSettings, BackupSettings

pytestmark = [pytest.mark.long, pytest.mark.services, pytest.mark.timeout(2 * 3600)]

EVERY_S, LOSSES = float(os.environ.get("TALLENNE_EVERY_S", "3")), int(os.environ.get("TALLENNE_LOSSES", "8"))
PROMISED_S = 300.0
EVENT = "INSERT INTO happened (at_ns) VALUES ($1)"


async def test_at_most_one_round_is_lost_whenever_the_machine_is(tmp_path: Path) -> None:
    dice, losses = random.Random(1), list[tuple[Path, int]]()
    async with gym(tmp_path) as now:
        await now.conn.execute("CREATE TABLE happened (at_ns bigint PRIMARY KEY)")
        stop, acknowledged = asyncio.Event(), list[int]()
        settings = BackupSettings(
            source=now.source,
            place=BackupPlaceSettings(directory=tmp_path / "place"),
            directory=now.directory,
            run_directory=tmp_path,
            periods=BackupPeriods(every_s=EVERY_S),
        )
        role = asyncio.create_task(run(settings, stop))
        doors = asyncio.create_task(_happen(now, acknowledged))
        await _first_set(now)
        for number in range(LOSSES):
            await asyncio.sleep(EVERY_S + dice.random() * EVERY_S)
            lost_ns = acknowledged[-1]
            losses.append((await asyncio.to_thread(_gone, tmp_path, number), lost_ns))
        stop.set()
        await role
        doors.cancel()
        await asyncio.gather(doors, return_exceptions=True)
        seconds = []
        for place, lost_ns in losses:
            back = await _restored(now, place, acknowledged)
            seconds.append(round((lost_ns - back) / NS, 2))
    print(json.dumps({"every_s": EVERY_S, "events": len(acknowledged), "lost_s": sorted(seconds)}))
    assert max(seconds) < min(EVERY_S + 15, PROMISED_S)
    assert max(seconds) > 0  # the control: the machine was lost between rounds


async def _happen(now: Gym, acknowledged: list[int]) -> None:
    conn = await connect(now.settings)
    try:
        while True:
            at_ns = time.time_ns()
            await conn.execute(EVENT, at_ns)
            acknowledged.append(at_ns)
            await asyncio.sleep(0.02)
    finally:
        conn.terminate()


async def _first_set(now: Gym) -> None:
    """Until there is a whole set and a round after it."""

    async def there() -> bool:
        return len([name for name in await now.place.names() if "/log-" in name]) > 1

    await until(there, seconds=60 + 2 * EVERY_S)


def _gone(root: Path, number: int) -> Path:
    """What is left of the machine: a copy of the backups' place as it is now."""
    shutil.copytree(root / "place", root / f"left-{number}")
    return root / f"left-{number}"


async def _restored(now: Gym, place: Path, acknowledged: list[int]) -> int:
    """The time of the newest event that comes back; none from before it is missing."""
    now.place = BackupDirectory(place)
    _, found = await now.restored(f"from-{place.name}", "SELECT at_ns FROM happened ORDER BY at_ns")
    back = [row["at_ns"] for row in found]
    assert back == acknowledged[: len(back)]
    return back[-1]

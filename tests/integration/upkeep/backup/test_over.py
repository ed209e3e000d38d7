"""What a drill tries of what has ended: it is found in the rows of before, and does not open; the rest does."""

from __future__ import annotations

from pathlib import Path

import pytest

from domain.time import HOUR_NS
from runtime import sql
from runtime.database import connect
from tests.conftest import Database
from tests.support.footage.past import past

pytestmark = pytest.mark.services


async def test_footage_that_ended_since_is_tried_and_stays_closed(database: Database, tmp_path: Path) -> None:
    async with past(database.owner, database.custodian, tmp_path) as gym:
        short, long = await gym.camera(1), await gym.camera(30)
        over, living = await gym.record(short, 3), await gym.record(long, 2)
        before = await connect(database.owner)  # sees the rows as a copy of now would hold them
        await before.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
        assert await before.fetchval("SELECT count(*) FROM segment") == 5
        query, hours = sql.load("upkeep.backup", "over"), gym.custody.keyring.hours
        assert await before.fetch(query, list(await hours()), 100) == []
        gym.clock.now_ns += 3 * HOUR_NS
        assert await gym.expiry.run_once()
        found = await before.fetch(query, list(await hours()), 100)
        assert {row["header"] for row in found} == {one.data[:210] for one in over}
        assert await gym.opener.open_headers([row["header"] for row in found], "drill") == []
        assert await gym.opens(living) == 2  # the control
        await before.close()

"""Periods of records other than footage: what is older goes with what hangs on it, what is younger stays."""

from __future__ import annotations

import os
import time
import uuid
from collections.abc import AsyncIterator

import asyncpg
import pytest

from domain.time import DAY_NS
from runtime.database import connect, open_pool
from tests.conftest import Database
from upkeep.keeper.periods import PeriodsOver
from upkeep.keeper.settings import Periods

pytestmark = pytest.mark.services

NOW_NS = time.time_ns()
DAYS = Periods(events_d=10, exports_d=20, lookups_d=30, sessions_d=5)


@pytest.fixture
async def owner(database: Database) -> AsyncIterator[asyncpg.Connection]:
    conn = await connect(database.owner)
    yield conn
    await conn.close()


async def over(database: Database, periods: Periods = DAYS, now_ns: int = NOW_NS) -> PeriodsOver:
    async with open_pool(database.keeper, application_name="keeper") as pool:
        keeper = PeriodsOver(pool, periods, clock_ns=lambda: now_ns)
        await keeper.run_once()
    return keeper


async def count(owner: asyncpg.Connection, table: str) -> int:
    found: int = await owner.fetchval(f"SELECT count(*) FROM {table}")
    return found


async def add_event(owner: asyncpg.Connection, days: float) -> None:
    site, door, event, at_ns = uuid.uuid4(), uuid.uuid4(), uuid.uuid4(), NOW_NS - int(days * DAY_NS)
    await owner.execute("INSERT INTO site VALUES ($1, $2, 'UTC')", site, str(site))
    await owner.execute("INSERT INTO door VALUES ($1, $2, 'door', 'door')", door, site)
    await owner.execute(
        "INSERT INTO access_event (event_id, dedup_key, site_id, door_id, kind, occurred_ns, received_ns)"
        " VALUES ($1, $2, $3, $4, 'granted', $5, $5)",
        *(event, os.urandom(32), site, door, at_ns),
    )
    await owner.execute("INSERT INTO tag VALUES ($1, $2, 0, $2, 0, 1)", event, uuid.uuid4())


async def add_session(owner: asyncpg.Connection, days: float, *, purpose: bool, exported: bool = False) -> None:
    staff, session, at_ns = uuid.uuid4(), uuid.uuid4(), NOW_NS - int(days * DAY_NS)
    await owner.execute("INSERT INTO staff VALUES ($1, $2, '', '', NULL, 0, '', NULL, 0)", staff, str(staff))
    await owner.execute(
        "INSERT INTO staff_session (session_id, token_hash, staff_id, created_ns, seen_ns) VALUES ($1, $2, $3, $4, $4)",
        *(session, os.urandom(32), staff, at_ns),
    )
    if purpose:
        stated = uuid.uuid4()
        await owner.execute("INSERT INTO purpose VALUES ($1, $2, 'incident', 'a reason', $3)", stated, session, at_ns)
        if exported:
            await owner.execute(
                "INSERT INTO footage_export (export_id, staff_id, purpose_id, camera_ids, start_ns, end_ns, format,"
                " state, minor, created_ns) VALUES ($1, $2, $3, $4, 0, 1, 'mp4', 'approval', false, $5)",
                *(uuid.uuid4(), staff, stated, [uuid.uuid4()], at_ns),
            )


async def test_events_go_with_their_tags(owner: asyncpg.Connection, database: Database) -> None:
    for days in (9.9, 10.1, 400):
        await add_event(owner, days)
    keeper = await over(database)
    assert keeper.deleted["events"] == 2
    assert (await count(owner, "access_event"), await count(owner, "tag")) == (1, 1)


async def test_sessions_reasons_and_exports_go_in_their_order(owner: asyncpg.Connection, database: Database) -> None:
    await add_session(owner, 4, purpose=False)
    await add_session(owner, 6, purpose=False)  # the only one that goes at once
    await add_session(owner, 25, purpose=True)
    await add_session(owner, 19, purpose=True, exported=True)
    await add_session(owner, 31, purpose=True, exported=True)  # its export goes, then its reason, then itself
    keeper = await over(database)
    assert {kind: keeper.deleted[kind] for kind in ("exports", "purposes", "sessions")} == {
        "exports": 1,
        "purposes": 1,
        "sessions": 2,
    }
    assert (await count(owner, "footage_export"), await count(owner, "purpose")) == (1, 2)


async def test_sessions_and_codes_of_members_go(owner: asyncpg.Connection, database: Database) -> None:
    member = uuid.uuid4()
    await owner.execute("INSERT INTO member VALUES ($1, 0)", member)
    for days in (0.5, 2, 400):
        at_ns, request = NOW_NS - int(days * DAY_NS), os.urandom(32)
        session = (uuid.uuid4(), os.urandom(32), member, request, at_ns)
        await owner.execute("INSERT INTO member_session VALUES ($1, $2, $3, $4, $5, $5)", *session)
        await owner.execute("INSERT INTO member_code_request VALUES ($1, $1, 'sign_in', $2)", request, at_ns)
        await owner.execute("INSERT INTO member_code VALUES ($1, $1, $2)", request, member)
    keeper = await over(database)
    assert (keeper.deleted["member_sessions"], keeper.deleted["member_codes"]) == (1, 2)
    assert await count(owner, "member_code") == 1


async def test_nothing_younger_than_a_day_goes_whatever_the_clock_says(
    owner: asyncpg.Connection, database: Database
) -> None:
    await add_event(owner, 0.5)
    await add_session(owner, 0.5, purpose=True)
    keeper = await over(database, now_ns=NOW_NS + 1000 * DAY_NS)
    assert sum(keeper.deleted.values()) == 0


async def test_gaps_before_the_first_kept_hour_go(owner: asyncpg.Connection, database: Database) -> None:
    camera, hour_ns = uuid.uuid4(), NOW_NS - 10 * DAY_NS
    await owner.execute(
        "INSERT INTO hour_key VALUES ($1, 1, $1, $2, $3, $4, $5, $5, 'active', $6, 0)",
        *(uuid.uuid4(), camera, hour_ns, NOW_NS + DAY_NS, bytes(32), bytes(64)),
    )
    for start_ns in (hour_ns - DAY_NS, hour_ns + DAY_NS):
        await owner.execute("INSERT INTO gap VALUES ($1, $2, $3, 'crash', '')", camera, start_ns, start_ns + 1)
    keeper = await over(database)
    assert keeper.deleted["gaps"] == 1
    assert await owner.fetchval("SELECT start_ns FROM gap") == hour_ns + DAY_NS

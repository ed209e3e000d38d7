"""Decisions of two people while a session ends, a role goes or a hold comes: whichever commits first is what counts."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from uuid import UUID, uuid4

import asyncpg
import pytest

from custodian.asking import Asker
from custodian.erasure.orders import NewErasure
from custodian.errors import CustodianMisuseError, LookRefusedError
from custodian.holds.holds import NewHold
from domain.ids import CameraId
from domain.time import HOUR_NS, Span
from runtime.database import connect
from tests.conftest import Database
from tests.support.footage.custodian import add_staff, until
from tests.support.footage.past import Past, past

pytestmark = pytest.mark.services

_LOSE = {
    "signed out": "UPDATE staff_session SET ended_ns = 1 WHERE session_id = $1",
    "demoted": "DELETE FROM staff_grant USING staff_session s WHERE s.staff_id = staff_grant.staff_id"
    " AND s.session_id = $1",
    "disabled": "UPDATE staff SET disabled_ns = 1 FROM staff_session s WHERE s.staff_id = staff.staff_id"
    " AND s.session_id = $1",
}


@pytest.fixture
async def gym(database: Database, tmp_path: Path) -> AsyncIterator[Past]:
    async with past(database.owner, database.custodian, tmp_path, back_h=60) as made:
        yield made


@pytest.fixture
async def beside(database: Database) -> AsyncIterator[asyncpg.Connection]:
    """Another connection, for a transaction that stays open while the custodian decides."""
    conn = await connect(database.owner)
    yield conn
    await conn.close()


async def person(gym: Past) -> Asker:
    staff = await add_staff(gym.owner, roles=("admin",))
    await gym.owner.execute(
        "UPDATE staff_session SET created_ns = $2, seen_ns = $2, stepped_up_ns = $2 WHERE session_id = $1",
        staff.session_id,
        gym.clock.now_ns,
    )
    return Asker(session_id=staff.session_id, purpose_id=staff.purpose_id)


async def waits(gym: Past, query: str) -> None:
    """Until a statement that begins so waits for a lock."""

    async def one() -> bool:
        found = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE $1"
        return bool(await gym.owner.fetchval(found, f"%{query}%"))

    await until(one)


async def open_case(gym: Past) -> UUID:
    case_id = uuid4()
    await gym.owner.execute(
        "INSERT INTO case_file (case_id, number, title, reason, opened_by, opened_ns, review_ns)"
        " VALUES ($1, $2, 'a case', 'a theft', $3, 0, 0)",
        case_id,
        str(case_id),
        uuid4(),
    )
    return case_id


@asynccontextmanager
async def camera_locked(conn: asyncpg.Connection, camera_id: CameraId) -> AsyncIterator[None]:
    async with conn.transaction():
        await conn.execute("SELECT pg_advisory_xact_lock(hashtextextended('camera ' || $1::uuid, 0))", camera_id)
        yield


async def an_erasure(
    gym: Past, camera: CameraId
) -> tuple[Asker, Callable[[], Awaitable[int]], Callable[[], Awaitable[str]]]:
    """Who approves, the approval, and the order's state."""
    anna, berit = await person(gym), await person(gym)
    span = Span(gym.start_ns, gym.clock.now_ns)
    erasure_id = await gym.orders.ask(NewErasure(reason="a test", cameras=[camera], span=span), anna)

    async def state() -> str:
        return str(await gym.owner.fetchval("SELECT state FROM erasure WHERE erasure_id = $1", erasure_id))

    return berit, lambda: gym.orders.approve(erasure_id, berit), state


async def a_case(
    gym: Past, camera: CameraId
) -> tuple[Asker, Callable[[], Awaitable[int]], Callable[[], Awaitable[str]]]:
    """Who ends it, the end, and the case's state."""
    anna, berit = await person(gym), await person(gym)
    case_id = await open_case(gym)
    span = Span(gym.start_ns, gym.start_ns + HOUR_NS)
    await gym.holds.place(NewHold(case_id=case_id, kind="hold", camera_id=camera, span=span), anna)
    await gym.holds.ask_end(case_id, anna)

    async def state() -> str:
        return str(await gym.owner.fetchval("SELECT state FROM case_file WHERE case_id = $1", case_id))

    return berit, lambda: gym.holds.end_case(case_id, berit), state


_DECISIONS = {"erasure": (an_erasure, "asked", "approved"), "case": (a_case, "closing", "closed")}


@pytest.mark.parametrize("lost", _LOSE)
@pytest.mark.parametrize("what", _DECISIONS)
async def test_who_loses_the_right_first_does_not_decide(
    gym: Past, beside: asyncpg.Connection, what: str, lost: str
) -> None:
    camera = await gym.camera(48)
    segments = await gym.record(camera, 2)
    gym.clock.now_ns += HOUR_NS
    make, before, _ = _DECISIONS[what]
    berit, decide, state = await make(gym, camera)
    async with beside.transaction():
        await beside.execute(_LOSE[lost], berit.session_id)
        deciding = asyncio.ensure_future(decide())
        await waits(gym, "lock_asker")
    with pytest.raises(LookRefusedError):
        await deciding
    assert await state() == before
    assert await gym.opens(segments) == 2


@pytest.mark.parametrize("lost", _LOSE)
@pytest.mark.parametrize("what", _DECISIONS)
async def test_who_decides_first_loses_the_right_afterwards(
    gym: Past, beside: asyncpg.Connection, database: Database, what: str, lost: str
) -> None:
    camera = await gym.camera(48)
    await gym.record(camera, 2)
    gym.clock.now_ns += HOUR_NS
    make, _, after = _DECISIONS[what]
    berit, decide, state = await make(gym, camera)
    admin = await connect(database.owner)
    async with camera_locked(beside, camera):
        deciding = asyncio.ensure_future(decide())
        await waits(gym, "approve_erasure" if what == "erasure" else "end_hold")
        losing = asyncio.ensure_future(admin.execute(_LOSE[lost], berit.session_id))
        await waits(gym, _LOSE[lost][:20])
        assert not losing.done()
    await deciding
    await losing
    await admin.close()
    assert await state() == after


async def test_hold_that_comes_while_a_case_is_reopened_ends_with_it(gym: Past, beside: asyncpg.Connection) -> None:
    """Keep it open, place a hold, ask again, all between the second person's word and its transaction."""
    camera, other = await gym.camera(48), await gym.camera(48)
    await gym.record(camera, 2)
    kept = await gym.record(other, 2)
    anna, berit = await person(gym), await person(gym)
    case_id = await open_case(gym)
    span = Span(gym.start_ns, gym.start_ns + HOUR_NS)
    await gym.holds.place(NewHold(case_id=case_id, kind="hold", camera_id=camera, span=span), anna)
    await gym.holds.ask_end(case_id, anna)
    async with beside.transaction():
        await beside.execute("UPDATE case_file SET state = 'open', closing_by = NULL WHERE case_id = $1", case_id)
        ending = asyncio.ensure_future(gym.holds.end_case(case_id, berit))
        await waits(gym, "FROM case_file" if not ending.done() else "")
        staff = await beside.fetchval("SELECT staff_id FROM staff_session WHERE session_id = $1", anna.session_id)
        await beside.execute(
            "SELECT place_hold($1, $2, 'hold', $3, $4, $5, $6, $7, $8, $4)",
            uuid4(),
            case_id,
            other,
            span.start_ns,
            span.end_ns,
            os.urandom(32),
            os.urandom(61),
            staff,
        )
        await beside.execute(
            "UPDATE case_file SET state = 'closing', closing_by = $2 WHERE case_id = $1", case_id, staff
        )
    await ending
    closed = "SELECT count(*) FROM hold JOIN case_file USING (case_id) WHERE state = 'closed' AND ended_ns IS NULL"
    assert await gym.owner.fetchval(closed) == 0
    assert await gym.owner.fetchval("SELECT count(*) FROM hold WHERE ended_ns IS NOT NULL") == 2
    assert len(kept) == 2


async def test_hold_that_comes_after_the_end_began_is_refused(gym: Past, beside: asyncpg.Connection) -> None:
    camera, other = await gym.camera(48), await gym.camera(48)
    await gym.record(camera, 2)
    anna, berit = await person(gym), await person(gym)
    case_id = await open_case(gym)
    span = Span(gym.start_ns, gym.start_ns + HOUR_NS)
    await gym.holds.place(NewHold(case_id=case_id, kind="hold", camera_id=camera, span=span), anna)
    await gym.holds.ask_end(case_id, anna)
    async with camera_locked(beside, camera):
        ending = asyncio.ensure_future(gym.holds.end_case(case_id, berit))
        await waits(gym, "end_hold")
        keeping = asyncio.ensure_future(gym.holds.keep_case(case_id, anna))
        placing = asyncio.ensure_future(
            gym.holds.place(NewHold(case_id=case_id, kind="hold", camera_id=other, span=span), anna)
        )
        await waits(gym, "FROM case_file WHERE case_id = $1 FOR NO KEY UPDATE")
    await ending
    for late in (keeping, placing):
        with pytest.raises(CustodianMisuseError):
            await late
    assert await gym.owner.fetchval("SELECT count(*) FROM hold WHERE ended_ns IS NULL") == 0


async def test_hold_placed_between_order_and_approval_forbids_it_in_either_order(
    gym: Past, beside: asyncpg.Connection
) -> None:
    for hold_first in (True, False):
        camera = await gym.camera(48)
        segments = await gym.record(camera, 2)
        gym.clock.now_ns += HOUR_NS
        _, approve, state = await an_erasure(gym, camera)
        dora = await person(gym)
        new = NewHold(
            case_id=await open_case(gym),
            kind="hold",
            camera_id=camera,
            span=Span(segments[0].span.start_ns, segments[-1].span.end_ns),
        )
        async with camera_locked(beside, camera):
            calls = [gym.holds.place(new, dora), approve()] if hold_first else [approve(), gym.holds.place(new, dora)]
            tasks = []
            for call, query in zip(calls, ["place_hold", "approve_erasure"][:: 1 if hold_first else -1], strict=True):
                tasks.append(asyncio.ensure_future(call))
                await waits(gym, query)
        first, second = await asyncio.gather(*tasks, return_exceptions=True)
        if hold_first:
            assert isinstance(second, CustodianMisuseError)
            assert "a theft" in str(second)
            assert (await state(), await gym.opens(segments)) == ("asked", 2)
        else:
            assert first == 2
            assert second[1] == 0  # type: ignore[index]  # it keeps nothing: that was decided before
            assert await state() == "approved"


async def test_two_administrators_who_approve_at_once_erase_once(gym: Past, beside: asyncpg.Connection) -> None:
    camera = await gym.camera(48)
    await gym.record(camera, 2)
    gym.clock.now_ns += HOUR_NS
    _, approve, state = await an_erasure(gym, camera)
    dora = await person(gym)
    erasure_id = await gym.owner.fetchval("SELECT erasure_id FROM erasure")
    async with camera_locked(beside, camera):
        tasks = [asyncio.ensure_future(approve()), asyncio.ensure_future(gym.orders.approve(erasure_id, dora))]
        await waits(gym, "approve_erasure")
    outcomes = await asyncio.gather(*tasks, return_exceptions=True)
    assert sorted(str(type(one).__name__) for one in outcomes) == ["CustodianMisuseError", "int"]
    assert await state() == "approved"
    assert await gym.owner.fetchval("SELECT count(*) FROM audit_entry WHERE action = 'erasure_approved'") == 1
    assert await gym.owner.fetchval("SELECT count(*) FROM erased_segment") == 2

"""Every state machine of rows over PostgreSQL: each pair of transitions at once, from each state."""

from __future__ import annotations

import itertools
import os
import uuid
from collections.abc import Callable
from typing import Any, Final

import asyncpg
import pytest

from api.export.states import EXPORT
from api.requests.states import REQUEST
from api.sign_in.states import CODE, RECOVERY_CODE, SESSION
from api.staff.states import ACCOUNT
from custodian.erasure.states import ERASURE
from custodian.holds.states import CASE
from domain.time import NS
from indexer.events.states import EVENT, MESSAGE
from runtime import sql
from runtime.transitions import Machine
from tests.conftest import Database
from tests.support.database.machines import MACHINES
from tests.support.database.pairs import Stand, connections, wrong_pairs

pytestmark = pytest.mark.services
Key = tuple[Any, ...]
NOW: Final = 1_000
_STAFF: Final = "SELECT FROM staff WHERE staff_id = $1 FOR UPDATE"
_numbers = itertools.count()


async def staff(conn: asyncpg.Connection, *, disabled: bool = False) -> uuid.UUID:
    staff_id = uuid.uuid4()
    await conn.execute(
        "INSERT INTO staff (staff_id, user_name, display_name, password_hash, totp_secret, disabled_ns, created_ns)"
        " VALUES ($1, $2, '', 'hash', 'secret', $3, 0)",
        staff_id,
        str(staff_id),
        NOW if disabled else None,
    )
    return staff_id


async def session(conn: asyncpg.Connection, state: str) -> Key:
    staff_id, session_id, token = await staff(conn), uuid.uuid4(), os.urandom(32)
    await conn.execute(
        "INSERT INTO staff_session (session_id, token_hash, staff_id, created_ns, seen_ns, second_factor, ended_ns)"
        " VALUES ($1, $2, $3, 0, 0, true, $4)",
        session_id,
        token,
        staff_id,
        NOW if state == "ended" else None,
    )
    return session_id, token, staff_id


async def session_state(conn: asyncpg.Connection, key: Key) -> str:
    ended = await conn.fetchval("SELECT ended_ns IS NOT NULL FROM staff_session WHERE session_id = $1", key[0])
    return "ended" if ended else "open"


async def export(conn: asyncpg.Connection, state: str) -> Key:
    session_id, _, staff_id = await session(conn, "open")
    export_id, purpose_id, second = uuid.uuid4(), uuid.uuid4(), await staff(conn)
    await conn.execute("INSERT INTO purpose VALUES ($1, $2, 'safety', 'a test', 0)", purpose_id, session_id)
    await conn.execute(
        "INSERT INTO footage_export (export_id, staff_id, purpose_id, camera_ids, start_ns, end_ns, format, state,"
        " minor, attempt, approved_by, manifest, signature, created_ns, footage_ns, ended_ns, ended_by, refusal)"
        " VALUES ($1, $2, $3, ARRAY[$1::uuid], 0, 1, 'zip', $4, false, 7, $5, $6, $7, 2, 1, $8, $9, $10)",
        export_id,
        staff_id,
        purpose_id,
        state,
        second if state in ("approved", "working", "ready", "failed") else None,
        b"{}" if state == "ready" else None,
        bytes(64) if state == "ready" else None,
        NOW if state in ("refused", "cancelled", "lapsed") else None,
        {"refused": second, "cancelled": staff_id}.get(state),
        "no" if state == "refused" else None,
    )
    return export_id, second, staff_id


async def export_state(conn: asyncpg.Connection, key: Key) -> str:
    return str(await conn.fetchval("SELECT state FROM footage_export WHERE export_id = $1", key[0]))


async def request(conn: asyncpg.Connection, state: str) -> Key:
    request_id, member_id = uuid.uuid4(), uuid.uuid4()
    await conn.execute("INSERT INTO member (member_id, created_ns) VALUES ($1, 0)", member_id)
    checked, ended = state in ("checked", "answered"), state in ("answered", "refused", "withdrawn")
    await conn.execute(
        "INSERT INTO member_request (request_id, member_id, kind, channel, state, received_ns, due_ns, identity,"
        " identity_ns, ended_ns) VALUES ($1, $2, 'access', 'desk', $3, 0, 9, $4, $5, $6)",
        *(request_id, member_id, state, "passport" if checked else None, NOW if checked else None),
        NOW if ended else None,
    )
    return (request_id,)


async def request_state(conn: asyncpg.Connection, key: Key) -> str:
    return str(await conn.fetchval("SELECT state FROM member_request WHERE request_id = $1", key[0]))


async def account(conn: asyncpg.Connection, state: str) -> Key:
    return (await staff(conn, disabled=state == "disabled"),)


async def account_state(conn: asyncpg.Connection, key: Key) -> str:
    return "disabled" if await conn.fetchval("SELECT disabled_ns FROM staff WHERE staff_id = $1", key[0]) else "active"


async def code(conn: asyncpg.Connection, state: str) -> Key:
    staff_id = await staff(conn)
    await conn.execute(
        "UPDATE staff SET totp_last_step = $2 WHERE staff_id = $1", staff_id, 5 if state == "used" else 4
    )
    return (staff_id,)


async def code_state(conn: asyncpg.Connection, key: Key) -> str:
    used = await conn.fetchval("SELECT totp_last_step >= 5 FROM staff WHERE staff_id = $1", key[0])
    return "used" if used else "unused"


async def recovery_code(conn: asyncpg.Connection, state: str) -> Key:
    staff_id = await staff(conn)
    used_ns = NOW if state == "used" else None
    await conn.execute("INSERT INTO recovery_code VALUES ($1, 'code', $2)", staff_id, used_ns)
    return (staff_id,)


async def recovery_code_state(conn: asyncpg.Connection, key: Key) -> str:
    used = await conn.fetchval("SELECT used_ns IS NOT NULL FROM recovery_code WHERE staff_id = $1", key[0])
    return "used" if used else "unused"


async def erasure(conn: asyncpg.Connection, state: str) -> Key:
    erasure_id, camera_id, first, second = uuid.uuid4(), uuid.uuid4(), await staff(conn), await staff(conn)
    await conn.execute("UPDATE erasure SET state = 'cancelled', done_ns = NULL")  # what is done is not one row
    await conn.execute(
        "INSERT INTO erasure VALUES ($1, $2, 'a test', NULL, ARRAY[$3::uuid], ARRAY[0], ARRAY[1], $4, 0, $5, 0, $6)",
        erasure_id,
        state,
        camera_id,
        first,
        None if state == "asked" else second,
        NOW if state == "done" else None,
    )
    return erasure_id, first, second


async def erasure_state(conn: asyncpg.Connection, key: Key) -> str:
    return str(await conn.fetchval("SELECT state FROM erasure WHERE erasure_id = $1", key[0]))


async def event(conn: asyncpg.Connection, state: str) -> Key:
    event_id, other, site_id, door_id = (uuid.uuid4() for _ in range(4))
    await conn.execute("INSERT INTO site (site_id, name, time_zone) VALUES ($1, $2, 'UTC')", site_id, str(site_id))
    await conn.execute(
        "INSERT INTO door (door_id, site_id, name, external_id) VALUES ($1, $2, 'd', 'd')", door_id, site_id
    )
    by = {"in force": None, "withdrawn": event_id, "superseded": other}[state]
    for each, superseded_by in ((event_id, by), (other, None)):
        await conn.execute(
            "INSERT INTO access_event (event_id, dedup_key, site_id, door_id, kind, occurred_ns, received_ns,"
            " superseded_by) VALUES ($1, $2, $3, $4, 'granted', 0, 0, $5)",
            each,
            os.urandom(32),
            site_id,
            door_id,
            superseded_by,
        )
    return event_id, other


async def event_state(conn: asyncpg.Connection, key: Key) -> str:
    by = await conn.fetchval("SELECT superseded_by FROM access_event WHERE event_id = $1", key[0])
    return {None: "in force", key[0]: "withdrawn", key[1]: "superseded"}[by]


async def message(conn: asyncpg.Connection, state: str) -> Key:
    quarantine_id, digest = uuid.uuid4(), os.urandom(32)
    if state != "gone":
        await conn.execute(
            "INSERT INTO quarantine (quarantine_id, received_ns, topic, reason, sealed_payload, digest, replayed_ns)"
            " VALUES ($1, $2, 't', 'r', 'x', $3, $4)",
            quarantine_id,
            NOW - 2 - next(_numbers),
            digest,
            NOW if state == "replayed" else None,
        )
    return quarantine_id, digest


async def message_state(conn: asyncpg.Connection, key: Key) -> str:
    row = await conn.fetchrow("SELECT replayed_ns FROM quarantine WHERE quarantine_id = $1", key[0])
    await conn.execute("DELETE FROM quarantine")  # what expires is not one row
    return "gone" if row is None else "waiting" if row["replayed_ns"] is None else "replayed"


async def case(conn: asyncpg.Connection, state: str) -> Key:
    case_id, first, second = uuid.uuid4(), await staff(conn), await staff(conn)
    await conn.execute(
        "INSERT INTO case_file (case_id, number, title, reason, opened_by, opened_ns, review_ns, state, closing_by,"
        " closed_by) VALUES ($1, $2, 't', 'r', $3, 0, 0, $4, $5, $6)",
        case_id,
        str(case_id),
        first,
        state,
        None if state == "open" else first,
        second if state == "closed" else None,
    )
    return case_id, first, second


async def case_state(conn: asyncpg.Connection, key: Key) -> str:
    return str(await conn.fetchval("SELECT state FROM case_file WHERE case_id = $1", key[0]))


def stand(machine: Machine, make: Any, state: Any, lock: str, **arguments: Callable[[Key], Key]) -> Stand:
    return Stand(machine=machine, make=make, state=state, lock=lock, arguments=arguments)


STANDS: Final = (
    stand(
        EXPORT,
        export,
        export_state,
        "SELECT FROM footage_export WHERE export_id = $1 FOR UPDATE",
        export_approve=lambda key: (key[0], key[1], NOW, False, NS),
        export_refuse=lambda key: (key[0], key[1], NOW, "no"),
        export_cancel=lambda key: (key[0], key[2], NOW),
        export_lapse=lambda key: (key[0], NOW, -NS),
        export_arrived=lambda key: (key[0], NS),
        export_begin=lambda key: (key[0], 7),
        export_ready=lambda key: (key[0], 7, b"{}", bytes(64), NOW),
        export_failed=lambda key: (key[0], 7, "away"),
        export_reopen=lambda key: (key[0],),
    ),
    stand(
        ACCOUNT,
        account,
        account_state,
        _STAFF,
        staff_disable=lambda key: (key[0], NOW),
        staff_enable=lambda key: (key[0],),
        staff_own_password=lambda key: (key[0], "own", "hash"),
        staff_password=lambda key: (key[0], "set"),
        staff_factor=lambda key: (key[0], b"new"),
    ),
    stand(
        SESSION,
        session,
        session_state,
        "SELECT FROM staff_session WHERE session_id = $1 FOR UPDATE",
        session_touch=lambda key: (key[0], NOW),
        session_step_up=lambda key: (key[0], NOW),
        session_end_one=lambda key: (key[0], NOW),
        session_end=lambda key: (key[1], NOW),
        sessions_end_all=lambda key: (key[2], NOW),
    ),
    stand(CODE, code, code_state, _STAFF, totp_take=lambda key: (key[0], 5, True, "hash", b"secret")),
    stand(
        RECOVERY_CODE,
        recovery_code,
        recovery_code_state,
        _STAFF,
        recovery_code_take=lambda key: (key[0], b"code", NOW, True, "hash"),
    ),
    stand(
        ERASURE,
        erasure,
        erasure_state,
        "SELECT FROM erasure WHERE erasure_id = $1 FOR UPDATE",
        erasure_approve=lambda key: (key[0], key[2], NOW),
        erasure_refuse=lambda key: (key[0], key[2], NOW),
        erasure_cancel=lambda key: (key[0], key[1], NOW),
        erasure_done=lambda key: (NOW,),
    ),
    stand(
        REQUEST,
        request,
        request_state,
        "SELECT FROM member_request WHERE request_id = $1 FOR UPDATE",
        request_identify=lambda key: (key[0], "passport", None, NOW),
        request_answer=lambda key: (key[0], "done", None, NOW),
        request_refuse=lambda key: (key[0], "no", None, NOW),
        request_withdraw=lambda key: (key[0], None, NOW),
    ),
    stand(
        EVENT,
        event,
        event_state,
        "SELECT FROM access_event WHERE event_id = $1 FOR UPDATE",
        withdraw=lambda key: ([key[0]], [key[0]], NOW),
        supersede=lambda key: ([key[0]], [key[1]], NOW),
    ),
    stand(
        MESSAGE,
        message,
        message_state,
        "SELECT FROM quarantine WHERE quarantine_id = $1 FOR UPDATE",
        quarantine_replayed=lambda key: (key[0], NOW),
        quarantine_reason=lambda key: (key[0], "another"),
        quarantine_repeat=lambda key: ([key[1]], [1]),
        quarantine_expire=lambda key: (NOW,),
    ),
    stand(
        CASE,
        case,
        case_state,
        "SELECT FROM case_file WHERE case_id = $1 FOR UPDATE",
        ask_end=lambda key: (key[0], key[1], NOW),
        keep_case=lambda key: (key[0],),
        end_case=lambda key: (key[0], key[2], NOW),
    ),
)
OF_INDEX: Final = {EVENT.name, MESSAGE.name}
OF_CUSTODIAN: Final = {CASE.name, ERASURE.name}


def test_every_machine_has_a_stand() -> None:
    assert {each.machine.name for each in STANDS} == {each.name for each in MACHINES}


@pytest.mark.parametrize("stand", STANDS, ids=lambda each: each.machine.name)
async def test_pairs_at_once_do_what_one_after_another_would(database: Database, stand: Stand) -> None:
    name = stand.machine.name
    role = database.index if name in OF_INDEX else database.custodian if name in OF_CUSTODIAN else database.serve
    async with connections(database.owner, role) as conns:
        assert await wrong_pairs(conns, stand) == []


async def test_statement_without_its_condition_is_found(database: Database) -> None:
    """Positive control: the state set as it was before, whatever it is by then."""

    def load(package: str, name: str) -> str:
        text = sql.load(package, name)
        return text.replace(" AND attempt = $2", " AND $2::int > 0") if name == "export_begin" else text

    def hasty(package: str, name: str) -> str:
        text = sql.load(package, name)
        return text.replace(" AND password_hash = $3", " AND $3::text > ''") if name == "staff_own_password" else text

    async with connections(database.owner, database.serve) as conns:
        assert any("export_begin and export_begin" in each for each in await wrong_pairs(conns, STANDS[0], load))
        found = await wrong_pairs(conns, STANDS[1], hasty)
        assert any("staff_own_password and staff_own_password" in each for each in found)

"""Live looks by a real custodian: on record and covered by a signed head first, refused whenever any part is wrong."""

from __future__ import annotations

import dataclasses
import os
import time
import uuid
from collections.abc import AsyncIterator
from pathlib import Path

import asyncpg
import pytest

from custodian.client import CustodianClient
from custodian.errors import CustodianMisuseError, LookRefusedError
from custodian.live_looks import LIVE_BEFORE_NS, LIVE_FOR_NS
from domain.ids import CameraId
from domain.time import MINUTE_NS, NS
from live.settings import REPLAY_MAX_NS
from runtime.settings import CustodianSettings
from runtime.status import read_status_files
from tests.conftest import Database
from tests.support.footage.custodian import Staff, add_camera, add_staff, custodian, custodian_settings

pytestmark = pytest.mark.services


@pytest.fixture
def settings(database: Database, tmp_path: Path) -> CustodianSettings:
    return custodian_settings(database.custodian, tmp_path, live_uids=(os.geteuid(),))


@pytest.fixture
async def client(settings: CustodianSettings) -> AsyncIterator[CustodianClient]:
    async with custodian(settings) as made:
        yield made


async def look(client: CustodianClient, staff: Staff, camera_id: CameraId) -> int:
    return await client.look_live(session_id=staff.session_id, purpose_id=staff.purpose_id, camera_id=camera_id)


async def may(client: CustodianClient, staff: Staff, camera_id: CameraId) -> bool:
    return await client.still_live(session_id=staff.session_id, purpose_id=staff.purpose_id, camera_id=camera_id)


async def test_a_look_is_on_record_for_its_minute(
    owner: asyncpg.Connection, client: CustodianClient, settings: CustodianSettings
) -> None:
    _, camera_id = await add_camera(owner)
    staff = await add_staff(owner)
    before_ns = time.time_ns()
    until_ns = await look(client, staff, camera_id)
    (entry,) = await owner.fetch("SELECT * FROM audit_entry WHERE action LIKE 'look_live%'")
    assert before_ns <= entry["start_ns"] + LIVE_BEFORE_NS <= time.time_ns()
    assert entry["end_ns"] == until_ns == entry["start_ns"] + LIVE_BEFORE_NS + LIVE_FOR_NS
    assert LIVE_BEFORE_NS >= REPLAY_MAX_NS  # the pictures with which a viewer begins
    assert (entry["actor"], entry["action"]) == (f"staff:{staff.staff_id}", "look_live")
    assert (entry["session_id"], entry["purpose_id"]) == (staff.session_id, staff.purpose_id)
    assert (entry["camera_id"], entry["writer"]) == (camera_id, "tallenne_custodian")
    assert entry["hash"].hex() in settings.audit_heads.read_text() or _signed_seq(settings) >= entry["seq"]
    assert await may(client, staff, camera_id)
    assert await owner.fetchval("SELECT count(*) FROM audit_entry WHERE action LIKE 'look_live%'") == 1


def _signed_seq(settings: CustodianSettings) -> int:
    (status,) = (one for one in read_status_files(settings.run_directory) if one["role"] == "custodian")
    return int(status["audit_signed_seq"])


@pytest.mark.parametrize(
    "wrong", ["role", "camera", "ended", "idle", "disabled", "factor", "removed", "restricted", "unknown"]
)
async def test_a_look_that_may_not_be_is_refused_on_record_and_does_not_go_on(
    owner: asyncpg.Connection, client: CustodianClient, wrong: str
) -> None:
    site_id, camera_id = await add_camera(owner)
    _, other = await add_camera(owner, site_id=site_id)
    grants = {
        "role": {"roles": ("auditor", "admin")},
        "camera": {"camera_id": other},
        "factor": {"second_factor": False},
    }
    staff = await add_staff(owner, **grants.get(wrong, {}))  # type: ignore[arg-type]
    begun = wrong not in (*grants, "unknown")
    if begun:
        await look(client, staff, camera_id)
        assert await may(client, staff, camera_id)
    now_ns = time.time_ns()
    changes = {
        "ended": ("UPDATE staff_session SET ended_ns = 1 WHERE session_id = $1", staff.session_id),
        "idle": (
            "UPDATE staff_session SET seen_ns = $2 WHERE session_id = $1",
            staff.session_id,
            now_ns - 15 * MINUTE_NS,
        ),
        "disabled": ("UPDATE staff SET disabled_ns = 1 WHERE staff_id = $1", staff.staff_id),
        "removed": ("UPDATE camera SET removed_ns = 1 WHERE camera_id = $1", camera_id),
    }
    if wrong in changes:
        await owner.execute(*changes[wrong])
    if wrong == "restricted":
        await restrict(owner, staff, camera_id, now_ns)
    asked = CameraId(uuid.uuid4()) if wrong == "unknown" else camera_id
    assert not await may(client, staff, asked)
    with pytest.raises(LookRefusedError):
        await look(client, staff, asked)
    found = await owner.fetch("SELECT action FROM audit_entry WHERE action LIKE 'look_live%' ORDER BY seq")
    assert [row["action"] for row in found] == ["look_live"] * begun + ["look_live_refused"]
    if wrong == "camera":
        assert await look(client, staff, other) > now_ns


async def restrict(owner: asyncpg.Connection, staff: Staff, camera_id: CameraId, now_ns: int) -> None:
    case_id = uuid.uuid4()
    await owner.execute(
        "INSERT INTO case_file (case_id, number, title, reason, opened_by, opened_ns, review_ns)"
        " VALUES ($1, $2, 'x', 'y', $3, 1, 2)",
        case_id,
        f"T-{case_id.hex[:8]}",
        staff.staff_id,
    )
    await owner.execute(
        "INSERT INTO hold (hold_id, case_id, kind, camera_id, start_ns, end_ns, public_key, sealed_private, placed_by,"
        " placed_ns) VALUES ($1, $2, 'restriction', $3, $4, $5, $6, $6, $7, $4)",
        uuid.uuid4(),
        case_id,
        camera_id,
        now_ns - NS,
        now_ns + 3600 * NS,
        os.urandom(32),
        staff.staff_id,
    )


async def test_anothers_purpose_is_no_purpose(owner: asyncpg.Connection, client: CustodianClient) -> None:
    _, camera_id = await add_camera(owner)
    mine, other = await add_staff(owner), await add_staff(owner)
    mixed = dataclasses.replace(mine, purpose_id=other.purpose_id)
    with pytest.raises(LookRefusedError):
        await look(client, mixed, camera_id)
    assert not await may(client, mixed, camera_id)
    assert await owner.fetchval("SELECT count(*) FROM audit_entry WHERE action = 'look_live'") == 0


async def test_only_the_user_of_the_role_may_ask(database: Database, owner: asyncpg.Connection, tmp_path: Path) -> None:
    _, camera_id = await add_camera(owner)
    staff = await add_staff(owner)
    async with custodian(custodian_settings(database.custodian, tmp_path, live_uids=(os.geteuid() + 1,))) as client:
        for ask in (look, may):
            with pytest.raises(CustodianMisuseError):
                await ask(client, staff, camera_id)
    assert await owner.fetchval("SELECT count(*) FROM audit_entry WHERE action LIKE 'look_live%'") == 0

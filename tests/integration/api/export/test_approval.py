"""The second person: somebody else, who knows what the copy shows, of footage that exists."""

from __future__ import annotations

import asyncio
import uuid

import asyncpg
import pyotp
import pytest

from api.credentials.handover import set_up_lately
from api.export import rows
from api.sign_in.sessions import find_session
from domain.time import DAY_NS, NS, to_iso
from tests.integration.api.conftest import PASSWORD, Client, Office, sign_in
from tests.integration.api.footage import Footage
from tests.integration.api.gym import LOBBY, Gym
from tests.integration.api.test_exports import asked, body, ended, exporter, look_at, made

pytestmark = pytest.mark.services


async def test_minor_who_comes_to_light_after_the_approval_needs_another_one(
    office: Office, gym: Gym, footage: Footage
) -> None:
    client = await exporter(office)
    export = await made(office, client, body(footage, LOBBY))
    assert export["minor"] is False
    await office.owner.execute("UPDATE member SET minor = true WHERE member_id = $1", gym.onni)
    await gym.event("granted", footage.span.start_ns + 5 * NS, member=gym.onni)
    path = f"/v1/exports/{export['export_id']}"
    assert (await client.get(f"{path}/download")).json()["type"] == "urn:tallenne:approval-needed"
    again = (await client.get(path)).json()
    assert (again["state"], again["minor"]) == ("approval", True)
    assert (await client.post(f"{path}/prepare")).json()["type"] == "urn:tallenne:approval-needed"
    second = await office.signed_in("exporter")
    await look_at(second, again)
    # A page that was loaded before shows nothing of it: who approves has to have seen it.
    assert (await second.post(f"{path}/approve", json={})).json()["type"] == "urn:tallenne:minor-unseen"
    assert (await second.post(f"{path}/approve", json={"minor": True})).json()["state"] == "approved"
    assert (await client.post(f"{path}/prepare")).status_code == 200
    assert (await ended(client, export["export_id"]))["state"] == "ready"
    assert (await client.get(f"{path}/download")).status_code == 200
    actions = [row["action"] for row in await office.audit() if row["action"].startswith("export_")]
    assert actions.count("export_reopened") == 1


async def test_minor_who_comes_to_light_before_the_approval_is_shown_to_the_approver(
    office: Office, gym: Gym, footage: Footage
) -> None:
    client = await exporter(office)
    export = await asked(client, body(footage, LOBBY))
    await office.owner.execute("UPDATE member SET minor = true WHERE member_id = $1", gym.onni)
    await gym.event("granted", footage.span.start_ns + 5 * NS, member=gym.onni)
    path, second = f"/v1/exports/{export['export_id']}", await office.signed_in("exporter")
    assert (await second.get(path)).json()["minor"] is False
    await look_at(second, export)
    await office.owner.execute("UPDATE footage_export SET minor = false")  # as if it came to light after the look
    assert (await second.post(f"{path}/approve", json={})).json()["type"] == "urn:tallenne:minor-unseen"
    assert (await second.get(path)).json()["minor"] is True
    assert (await second.post(f"{path}/approve", json={"minor": True})).json()["state"] == "approved"
    assert (await client.post(f"{path}/prepare")).status_code == 200
    assert (await ended(client, export["export_id"]))["state"] == "ready"


async def test_what_has_not_happened_yet_is_not_exported(office: Office, footage: Footage) -> None:
    client = await exporter(office)
    for ahead_ns in (1_000_000, 3600 * NS):
        wanted = {**body(footage, LOBBY), "end": to_iso(office.clock.now_ns + ahead_ns)}
        answer = await client.post("/v1/exports", json=wanted)
        assert (answer.status_code, answer.json()["type"]) == (422, "urn:tallenne:not-over")
    export = await asked(client, {**body(footage, LOBBY), "end": to_iso(office.clock.now_ns)})
    with pytest.raises(asyncpg.CheckViolationError):
        await office.owner.execute(
            "UPDATE footage_export SET end_ns = created_ns + 1 WHERE export_id = $1", uuid.UUID(export["export_id"])
        )


async def test_two_accounts_that_one_administrator_set_up_are_not_two_people(office: Office, footage: Footage) -> None:
    """Either way round, over several steps, for three days; then, and for accounts made on the machine, they are."""
    boss = await exporter(office, "exporter", "admin")
    other = await exporter(office, "exporter", "admin")
    puppet = await hired_by(office, boss, "puppet", "exporter", "admin")
    second = await hired_by(office, puppet, "second", "exporter")
    sides = {"boss": boss, "puppet": puppet, "second": second}
    for asker_name, asker in sides.items():
        export = await asked(asker, body(footage, LOBBY))
        path = f"/v1/exports/{export['export_id']}"
        for name, approver in sides.items():
            refused = (await approver.post(f"{path}/approve", json={})).json()["type"]
            assert refused == f"urn:tallenne:{'own-export' if name == asker_name else 'one-hand'}", (asker_name, name)
            seen = (await approver.get(path)).json()
            assert (seen["may_approve"], seen["one_hand"]) == (False, name != asker_name)
        assert (await other.get(path)).json()["may_approve"]
    await look_at(other, export)
    assert (await other.post(f"{path}/approve", json={})).json()["state"] == "approved"
    assert await set_up_lately(office.rooms.records.pool, office.clock.now_ns) == 2
    assert await set_up_lately(office.rooms.records.pool, office.clock.now_ns + DAY_NS) == 0
    listed = {each["user_name"]: each["made_by"] for each in (await boss.get("/v1/staff")).json()}
    assert listed["second"] == "Puppet" and listed["puppet"].startswith("Staff-")
    assert list(listed.values()).count(None) == len(listed) - 2


async def test_reset_of_a_factor_makes_two_accounts_one_person_for_three_days(office: Office, footage: Footage) -> None:
    boss = await exporter(office, "exporter", "admin")
    name, colleague = await office.hire("exporter")
    export = await asked(boss, body(footage, LOBBY))
    path = f"/v1/exports/{export['export_id']}"
    answer = await boss.post(f"/v1/staff/{colleague.staff_id}/second-factor")
    client = await signed_in_with(office, name, answer.json()["secret"])
    assert (await client.post(f"{path}/approve", json={})).json()["type"] == "urn:tallenne:one-hand"
    # The database refuses it by itself, whatever a route has found before.
    row = await rows.find(office.rooms.records, uuid.UUID(export["export_id"]))
    session = await find_session(office.rooms.records, next(iter(client.cookies.values())))
    assert row is not None and session is not None
    assert not await rows.approve(office.rooms.records, row, session)
    office.clock.forward(3 * DAY_NS / NS)
    later = await signed_in_with(office, name, answer.json()["secret"])
    assert (await later.get(path)).json()["may_approve"]
    # The custodian, which shows the clip, has a clock of its own.
    await office.owner.execute("UPDATE staff_handover SET at_ns = at_ns - $1::bigint", 3 * DAY_NS)
    await look_at(later, export)
    assert (await later.post(f"{path}/approve", json={})).json()["state"] == "approved"


async def hired_by(office: Office, admin: Client, name: str, *roles: str) -> Client:
    new = {"user_name": name, "display_name": name.title(), "password": PASSWORD}
    answer = await admin.post("/v1/staff", json={**new, "grants": [{"role": role} for role in roles]})
    assert answer.status_code == 201, answer.text
    return await signed_in_with(office, name, answer.json()["secret"])


async def signed_in_with(office: Office, name: str, secret: str) -> Client:
    client = office.client()
    code = pyotp.TOTP(secret).generate_otp(office.clock.now_ns // (30 * NS))
    assert (await sign_in(client, name, code=code)).status_code == 200
    await client.state_purpose()
    return client


async def test_approval_given_without_a_minor_is_not_kept_by_preparing_many_times_at_once(
    office: Office, gym: Gym, footage: Footage
) -> None:
    client = await exporter(office)
    export = await made(office, client, body(footage, LOBBY))
    await office.owner.execute("UPDATE member SET minor = true WHERE member_id = $1", gym.onni)
    await gym.event("granted", footage.span.start_ns + 5 * NS, member=gym.onni)
    path = f"/v1/exports/{export['export_id']}"
    for _ in range(4):
        await asyncio.gather(
            *(client.post(f"{path}/prepare") for _ in range(20)), *(client.get(f"{path}/download") for _ in range(2))
        )
        found = await ended(client, export["export_id"])
        assert (found["state"], found["minor"], found["approved_by"]) == ("approval", True, None)
    assert (await client.post(f"{path}/prepare")).json()["type"] == "urn:tallenne:approval-needed"

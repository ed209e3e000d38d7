"""Who was given a member's data: recorded before it leaves, on a basis that holds, read by the member without names."""

from __future__ import annotations

import json
from typing import Any

import asyncpg
import pytest

from api.credentials.accounts import NewGrant
from tests.integration.api.conftest import Client, Office
from tests.integration.api.gym import SOUTH, Gym, open_gym

pytestmark = pytest.mark.services
POLICE = {
    "kind": "police",
    "name": "Sisä-Suomen poliisilaitos",
    "what": "Clip of the lobby, 06:31 to 06:33",
    "why": "Investigation of a theft",
    "basis": "legal_obligation",
    "reference": "5680/R/1234/26",
    "receipt": "ab" * 32,
}


@pytest.fixture
async def gym(office: Office) -> Gym:
    return await open_gym(office.owner, office.clock.now_ns)


@pytest.fixture
async def admin(office: Office, gym: Gym) -> Client:
    client = await office.signed_in("admin")
    await client.state_purpose()
    return client


async def handed(client: Client, gym: Gym, **more: Any) -> Any:
    return await client.post(f"/v1/members/{gym.aino}/recipients", json={**POLICE, **more})


async def test_recipient_is_on_record_and_in_the_copy_without_the_staffs_name(
    office: Office, gym: Gym, admin: Client
) -> None:
    answer = await handed(admin, gym)
    assert answer.status_code == 201, answer.text
    (listed,) = (await admin.get(f"/v1/members/{gym.aino}/recipients")).json()
    assert {key: listed[key] for key in POLICE} == POLICE
    assert listed["by"] == (await admin.get("/v1/session")).json()["display_name"]
    (entry,) = [each for each in await office.audit() if each["action"] == "recipient_recorded"]
    assert (entry["member_id"], json.loads(entry["detail"])["kind"]) == (gym.aino, "police")
    assert not any(POLICE[key] in str(entry) for key in ("name", "what", "why", "reference"))
    body = {"member_id": str(gym.aino), "kind": "access", "channel": "desk"}
    request = (await admin.post("/v1/requests", json=body)).json()["request_id"]
    await admin.post(f"/v1/requests/{request}/identify", json={"text": "passport"})
    copy = (await admin.get(f"/v1/requests/{request}/copy.json")).json()
    assert [(each["name"], each["basis"]) for each in copy["recipients"]] == [(POLICE["name"], "legal_obligation")]
    assert listed["by"] not in json.dumps(copy)
    assert (await admin.get(f"/v1/members/{gym.onni}/recipients")).json() == []


@pytest.mark.parametrize("kind", ["police", "authority"])
async def test_authority_needs_the_number_of_its_request(office: Office, gym: Gym, admin: Client, kind: str) -> None:
    refused = await handed(admin, gym, kind=kind, reference=" ")
    assert (refused.status_code, refused.json()["type"]) == (422, "urn:tallenne:recipient-reference")
    assert (await handed(admin, gym, kind="insurer", reference="")).status_code == 201
    with pytest.raises(asyncpg.CheckViolationError):
        await office.owner.execute("UPDATE recipient SET kind = $1", kind)


async def test_consent_as_a_basis_must_be_the_members_and_hold(office: Office, gym: Gym, admin: Client) -> None:
    async def consent_of(member_id: Any) -> str:
        given = await admin.post(
            f"/v1/register/{member_id}/consents", json={"purpose": "To the insurer", "how": "paper"}
        )
        return str(given.json()["consents"][0]["consent_id"])

    hers, his = await consent_of(gym.aino), await consent_of(gym.onni)
    body: dict[str, Any] = {"kind": "insurer", "basis": "consent", "reference": ""}
    assert (await handed(admin, gym, **body)).status_code == 422
    assert (await handed(admin, gym, **{**body, "basis": "contract"}, consent_id=hers)).status_code == 422
    assert (await handed(admin, gym, **body, consent_id=his)).status_code == 409
    done = await handed(admin, gym, **body, consent_id=hers)
    assert (done.status_code, done.json()[0]["consent"]) == (201, "To the insurer")
    await admin.post(f"/v1/register/{gym.aino}/consents/{hers}/withdraw", json={"how": "desk"})
    assert (await handed(admin, gym, **body, consent_id=hers)).status_code == 409


async def test_what_was_recorded_is_never_changed_and_needs_a_code(office: Office, gym: Gym, admin: Client) -> None:
    assert (await handed(admin, gym)).status_code == 201
    pool = office.rooms.records.pool
    for statement in ("UPDATE recipient SET what = ''", "DELETE FROM recipient"):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await pool.execute(statement)
    office.clock.forward(6 * 60)
    assert (await handed(admin, gym)).json()["type"] == "urn:tallenne:step-up-needed"


async def test_staff_of_another_site_reach_no_recipient(office: Office, gym: Gym, admin: Client) -> None:
    await handed(admin, gym)
    south = await office.signed_in(NewGrant(role="exporter", site_id=SOUTH))
    await south.state_purpose()
    assert (await south.get(f"/v1/members/{gym.aino}/recipients")).status_code == 404
    assert (await handed(south, gym)).status_code == 404

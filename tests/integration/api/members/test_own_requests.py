"""Requests on members' own pages: asked, answered by staff, read, taken back; and none of another member."""

from __future__ import annotations

import asyncio
import json

import pytest

from tests.integration.api.members.club import ONNI, Club

pytestmark = [pytest.mark.services]


async def test_request_of_a_member_is_work_of_staff_and_its_answer_is_read(club: Club) -> None:
    aino = await club.signed_in()
    asked = await aino.post("/v1/me/requests", json={"kind": "access", "details": "Everything, please."})
    assert asked.status_code == 201, asked.text
    assert [(each["kind"], each["state"], each["answer"]) for each in asked.json()] == [("access", "checked", None)]
    admin = await club.office.signed_in("admin")
    await admin.state_purpose()
    (request,) = (await admin.get("/v1/requests")).json()
    assert (request["number"], request["channel"], request["details"]) == ("1042", "page", "Everything, please.")
    assert "code that was sent" in request["identity"] and request["identity_by"] is None
    path = f"/v1/requests/{request['request_id']}"
    assert (await admin.get(f"{path}/copy.json")).status_code == 200
    assert (await admin.post(f"{path}/answer", json={"text": "Handed over at the desk."})).status_code == 200
    found = await aino.get("/v1/me/requests")
    assert [(each["state"], each["answer"]) for each in found.json()] == [("answered", "Handed over at the desk.")]
    name = (await admin.get("/v1/session")).json()["display_name"]
    assert name not in found.text


async def test_one_request_of_a_kind_is_open_at_a_time_and_can_be_taken_back(club: Club) -> None:
    aino = await club.signed_in()
    (first,) = (await aino.post("/v1/me/requests", json={"kind": "erasure"})).json()
    again = await aino.post("/v1/me/requests", json={"kind": "erasure"})
    assert (again.status_code, again.json()["type"]) == (409, "urn:tallenne:request-open")
    taken = await aino.post(f"/v1/me/requests/{first['request_id']}/withdraw", json={})
    assert [each["state"] for each in taken.json()] == ["withdrawn"]
    assert (await aino.post(f"/v1/me/requests/{first['request_id']}/withdraw", json={})).status_code == 404
    assert (await aino.post("/v1/me/requests", json={"kind": "erasure"})).status_code == 201
    entries = [each for each in await club.office.audit() if each["action"].startswith("request_")]
    assert [each["action"] for each in entries] == ["request_received", "request_withdrawn", "request_received"]
    assert {each["actor"] for each in entries} == {f"member:{club.gym.aino}"}
    assert {json.loads(each["detail"])["kind"] for each in entries} == {"erasure"}


async def test_another_members_request_answers_like_one_that_is_not_there(club: Club) -> None:
    onni = await club.signed_in(ONNI)
    (his,) = (await onni.post("/v1/me/requests", json={"kind": "access"})).json()
    aino = await club.signed_in()
    other = await aino.post(f"/v1/me/requests/{his['request_id']}/withdraw", json={})
    unknown = await aino.post(f"/v1/me/requests/{club.gym.aino}/withdraw", json={})
    assert (other.status_code, other.content) == (unknown.status_code, unknown.content)
    assert [each["state"] for each in (await onni.get("/v1/me/requests")).json()] == ["checked"]
    assert (await aino.get("/v1/me/requests")).json() == []


async def test_erased_member_is_signed_out_at_once(club: Club) -> None:
    aino = await club.signed_in()
    (request,) = (await aino.post("/v1/me/requests", json={"kind": "erasure"})).json()
    admin = await club.office.signed_in("admin")
    await admin.state_purpose()
    assert (await admin.post(f"/v1/requests/{request['request_id']}/erase-person")).status_code == 200
    assert (await aino.get("/v1/me/requests")).status_code == 401


async def test_of_several_at_once_one_request_is_received(club: Club) -> None:
    client = await club.signed_in()
    answers = await asyncio.gather(*(client.post("/v1/me/requests", json={"kind": "access"}) for _ in range(6)))
    assert sorted(each.status_code for each in answers) == [201, 409, 409, 409, 409, 409]
    assert len((await client.get("/v1/me/requests")).json()) == 1

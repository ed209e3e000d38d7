"""The audit trail, filtered and as a table. Reading it is recorded, with the members that it showed."""

from __future__ import annotations

import csv
import io
import json
from typing import Any

import pytest

from api.credentials.accounts import NewGrant
from tests.integration.api.conftest import Client, Office
from tests.integration.api.gym import CORRIDOR, LOBBY, NORTH, SOUTH_CAMERA, Gym, open_gym
from tests.support.api.looks import looking, span

pytestmark = pytest.mark.services


@pytest.fixture
async def gym(office: Office) -> Gym:
    return await open_gym(office.owner, office.clock.now_ns)


async def looked_at(office: Office, gym: Gym) -> Client:
    """Someone watched two cameras of one site and one of another, and looked for a member."""
    client = await looking(office, "viewer")
    for camera in (LOBBY, CORRIDOR, SOUTH_CAMERA):
        await client.get(f"/v1/cameras/{camera}/timeline", params=span(gym))
    await client.get("/v1/members", params={"query": "1042"})
    return client


async def entries(client: Client, **params: Any) -> list[dict[str, Any]]:
    answer = await client.get("/v1/audit", params=params)
    assert answer.status_code == 200, answer.text
    return list(answer.json()["entries"])


async def test_entries_are_filtered_by_person_member_camera_and_time(office: Office, gym: Gym) -> None:
    await looked_at(office, gym)
    auditor = await office.signed_in("auditor")
    choices = (await auditor.get("/v1/audit/choices")).json()
    assert {each["name"] for each in choices["cameras"]} == {"Lobby", "Corridor", "Aula"}
    assert [each["camera"] for each in await entries(auditor, camera=str(LOBBY))] == ["Lobby"]
    found = await entries(auditor, number="1042")
    assert {each["action"] for each in found} == {"timeline", "search_members", "audit_read"}
    assert await entries(auditor, number="104") == []
    people = [each["value"] for each in choices["people"]]
    by_person = [await entries(auditor, actor=who) for who in people]
    assert all(each["actor"] == who for who, found in zip(people, by_person, strict=True) for each in found)
    assert {len({each["session"] for each in found if each["session"]}) for found in by_person} == {1}
    assert await entries(auditor, camera=str(LOBBY), start="2100-01-01T00:00:00Z") == []


async def test_auditor_of_a_site_is_offered_and_answered_about_its_cameras_only(office: Office, gym: Gym) -> None:
    await looked_at(office, gym)
    await looking(office, NewGrant(role="viewer", camera_id=SOUTH_CAMERA))
    narrow = await office.signed_in(NewGrant(role="auditor", site_id=NORTH))
    choices = (await narrow.get("/v1/audit/choices")).json()
    assert {each["name"] for each in choices["cameras"]} == {"Lobby", "Corridor"}
    assert len(choices["people"]) == 2  # the viewer of everything and the auditor
    for path in ("/v1/audit", "/v1/audit.csv"):
        assert (await narrow.get(path, params={"camera": str(SOUTH_CAMERA)})).status_code == 404
    rows = list(csv.DictReader(io.StringIO((await narrow.get("/v1/audit.csv")).text)))
    assert {row["camera"] for row in rows} == {"Lobby", "Corridor"}


async def test_table_holds_what_the_pages_do_and_is_on_record_with_whom_it_shows(
    office: Office, gym: Gym, monkeypatch: pytest.MonkeyPatch
) -> None:
    await looked_at(office, gym)
    auditor = await office.signed_in("auditor")
    shown = await entries(auditor, action="timeline", limit=500)
    answer = await auditor.get("/v1/audit.csv", params={"action": "timeline"})
    assert answer.headers["content-type"].startswith("text/csv")
    rows = list(csv.DictReader(io.StringIO(answer.text)))
    assert [(row["seq"], row["camera"]) for row in rows] == [(str(each["seq"]), each["camera"]) for each in shown]
    last = dict((await office.audit())[-1])
    assert last["action"] == "audit_read"
    assert json.loads(last["detail"])["members"] == sorted([str(gym.aino), str(gym.onni)])
    monkeypatch.setattr("api.audit.trail.PAGE", 1)
    assert (await auditor.get("/v1/audit.csv", params={"action": "timeline"})).text == answer.text
    monkeypatch.setattr("api.audit.trail.ENTRIES_MAX", 2)
    answer = await auditor.get("/v1/audit.csv", params={"action": "timeline"})
    assert (answer.status_code, answer.json()["type"]) == (422, "urn:tallenne:too-much")

"""Somebody signed in tries every route: after sign-out, with another's purpose, with odd parameters."""

from __future__ import annotations

import uuid
from typing import Any, Final
from urllib.parse import quote

import pytest

from tests.integration.api.conftest import Client, Office
from tests.integration.api.export.test_deciding import path_of
from tests.integration.api.footage import Footage
from tests.integration.api.gym import LOBBY, NORTH, Gym, open_gym
from tests.integration.api.test_exports import asked, body, exporter, footage, gym
from tests.integration.api.test_roles import EVERYBODY, PART, STAFF, TABLE, filled

__all__ = ["footage", "gym"]
pytestmark = [pytest.mark.services, pytest.mark.trust]
WORDS: Final = ("Aino", "Lobby", "Front door", str(LOBBY), str(NORTH))


async def every(office: Office, gym: Gym, client: Client, names: Any = TABLE) -> dict[tuple[str, str], Any]:
    """The answer of each route, called as its table has it; signing in and out last."""
    answers = {}
    for key in sorted(names, key=lambda key: key[1].startswith(("/v1/sign-", "/v1/password"))):
        address, body_of, _ = TABLE[key]
        path = address.replace("{aino}", str(gym.aino)).replace("{granted}", str(gym.granted))
        path = path.replace("{somebody}", str(uuid.uuid4()))
        answers[key] = await client.request(key[0], path, json=filled(body_of, office.clock.now_ns), headers=PART)
    return answers


ENDS: Final[dict[str, str]] = {
    "disabled": "UPDATE staff SET disabled_ns = 1",
    "ended": "UPDATE staff_session SET ended_ns = 1",
    "half": "UPDATE staff_session SET second_factor = false",
}


@pytest.mark.parametrize("how", ["sign-out", "idle", "old", *ENDS])
async def test_session_that_has_ended_opens_no_route(office: Office, how: str) -> None:
    gym = await open_gym(office.owner, office.clock.now_ns)
    client = await office.signed_in("exporter", "admin", "auditor")
    await client.state_purpose()
    cookies = dict(client.cookies)
    assert (await client.get("/v1/find/today")).status_code == 200  # control
    if how == "sign-out":
        assert (await client.post("/v1/sign-out", json={})).status_code < 300
    elif how in ENDS:
        await office.owner.execute(ENDS[how])
    else:
        office.clock.forward({"idle": 24 * 3600, "old": 13 * 3600}[how])
    client.cookies.clear()
    client.cookies.update(cookies)
    public = {key for key, row in TABLE.items() if row[2] == EVERYBODY}
    answers = await every(office, gym, client, set(TABLE) - public - {("POST", "/v1/sign-in")})
    wrong = {key: answer.status_code for key, answer in answers.items() if answer.status_code not in (401, 403, 503)}
    assert wrong == {("GET", "/metrics"): 404} or wrong == {}
    assert [key for key, answer in answers.items() if any(word in answer.text for word in WORDS)] == []


async def test_purpose_of_another_session_or_of_a_preview_opens_no_route(
    office: Office, gym: Gym, footage: Footage
) -> None:
    """What refuses without a purpose refuses with one that is not this person's own for all."""
    client = await exporter(office)
    export = await asked(client, body(footage, LOBBY))
    person = await office.signed_in("exporter", "admin")
    needy = {key for key, row in TABLE.items() if row[2] not in (STAFF, EVERYBODY)}
    refused = {
        key
        for key, answer in (await every(office, gym, person, needy)).items()
        if answer.status_code == 403 and "urn:tallenne:purpose-needed" in answer.text
    }
    assert ("GET", "/v1/events/{event_id}/beside") in refused and ("GET", "/v1/find/today") in refused
    assert ("POST", "/v1/live") in refused and len(refused) > 8
    preview = (await person.post(f"{path_of(export)}/preview")).json()["purpose_id"]
    for purpose in (client.purpose, preview, str(uuid.uuid4())):
        person.purpose = purpose
        answers = await every(office, gym, person, refused)
        assert {key: answer.status_code for key, answer in answers.items() if answer.status_code != 403} == {}
    await person.state_purpose()  # control
    assert (await every(office, gym, person, {("GET", "/v1/find/today")}))["GET", "/v1/find/today"].status_code == 200


ODD: Final = ("", "%00", "a%00b", "%ff", quote("<script>"), quote("' OR 1=1 --"), "-1", "1e99", quote("٣"), "9" * 400)


async def test_odd_parameters_are_refused_and_never_a_mistake(office: Office) -> None:
    """Each parameter of the newest routes with each odd value: there is nothing, or the answer says what is wrong."""
    gym = await open_gym(office.owner, office.clock.now_ns)
    client = await office.signed_in("exporter", "admin", "auditor")
    await client.state_purpose()
    places = [
        f"/v1/cameras/{LOBBY}/days?month={{}}",
        f"/v1/cameras/{LOBBY}/thumbnail.jpg?at={{}}",
        f"/v1/cameras/{LOBBY}/thumbnail.jpg?at=2026-11-22T06:00:00Z&purpose={{}}",
        f"/v1/events/{gym.granted}/beside?same={{}}&later=true",
        f"/v1/events/{gym.granted}/beside?same=door&later={{}}",
        "/v1/export-history?export_id={}",
        "/v1/export-history?before={}",
        "/v1/audit?number={}",
        "/v1/audit?actor={}",
        "/v1/audit?action={}",
        "/v1/audit?camera={}",
        "/v1/audit?start={}",
        "/v1/audit?before={}",
        "/v1/audit.csv?number={}",
    ]
    wrong = []
    for place in places:
        for odd in ODD:
            answer = await client.get(place.format(odd))
            if answer.status_code not in (200, 404, 422) or "<script>" in answer.text:
                wrong.append((place, odd[:20], answer.status_code))
    for month in ("1970-01", "2199-12"):
        found = await client.get(f"/v1/cameras/{LOBBY}/days?month={month}")
        assert (found.status_code, len(found.json()["days"])) == (200, 31)
    for size in ([], [None], ["x"], [str(LOBBY)] * 2, [str(uuid.uuid4())] * 17, "x", {"a": 1}):
        answer = await client.put(f"/v1/live/walls/{NORTH}", json={"camera_ids": size})
        if answer.status_code not in (204, 404, 422) or (answer.status_code == 204 and size):
            wrong.append(("walls", str(size)[:40], answer.status_code))
    for offer in ("\u0000", "v=0", "x" * 40_000, "v=0\r\nm=video 9 RTP 1\r\n" * 100):
        asked_for = {"cameras": [{"camera_id": str(LOBBY), "offer": offer}]}
        answer = await client.post("/v1/live", json=asked_for)
        if answer.status_code not in (422, 503):
            wrong.append(("live", offer[:20], answer.status_code))
    assert wrong == []


async def test_no_text_that_the_database_cannot_hold_is_a_mistake(office: Office) -> None:
    """Each text of each body with a NUL in it."""
    gym = await open_gym(office.owner, office.clock.now_ns)
    client = await office.signed_in("exporter", "admin", "auditor")
    await client.state_purpose()
    wrong = []
    for method, route in TABLE:
        address, given, _ = TABLE[method, route]
        path = address.replace("{aino}", str(gym.aino)).replace("{granted}", str(gym.granted))
        sent: dict[str, Any] = filled(given, office.clock.now_ns) or {}
        for field in [field for field, value in sent.items() if isinstance(value, str)]:
            answer = await client.request(method, path, json=sent | {field: "abc\u0000def"})
            if answer.status_code >= 500:
                wrong.append((method, route, field, answer.status_code))
    assert wrong == []

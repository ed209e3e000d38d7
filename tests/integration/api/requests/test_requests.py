"""Members' requests over PostgreSQL: the clock, the check of who asks, the copy, the end of a person."""

from __future__ import annotations

import json
from typing import Any

import asyncpg
import pytest

from domain.time import DAY_NS, NS, to_iso
from tests.integration.api.conftest import Client, Office
from tests.integration.api.gym import LOBBY, NORTH, Gym, open_gym

pytestmark = pytest.mark.services
PLANTED = {"email": "aino.planted@example.org", "phone": "+358401112223", "address": "Planted street 1"}


@pytest.fixture
async def gym(office: Office) -> Gym:
    return await open_gym(office.owner, office.clock.now_ns)


@pytest.fixture
async def admin(office: Office, gym: Gym) -> Client:
    client = await office.signed_in("admin")
    await client.state_purpose()
    return client


async def asked(admin: Client, gym: Gym, kind: str = "access", **more: Any) -> dict[str, Any]:
    body = {"member_id": str(gym.aino), "kind": kind, "channel": "letter", "details": "Please.", **more}
    answer = await admin.post("/v1/requests", json=body)
    assert answer.status_code == 201, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def step(admin: Client, request: dict[str, Any], name: str, text: str = "a reason") -> Any:
    return await admin.post(f"/v1/requests/{request['request_id']}/{name}", json={"text": text})


async def checked(admin: Client, gym: Gym, kind: str = "access") -> dict[str, Any]:
    request = await asked(admin, gym, kind)
    assert (await step(admin, request, "identify", "Showed a passport")).status_code == 200
    return request


async def test_request_is_due_in_a_month_and_late_after_it(office: Office, gym: Gym, admin: Client) -> None:
    request = await asked(admin, gym)
    assert 27 <= request["days_left"] <= 31
    received = to_iso(office.clock.now_ns - 40 * DAY_NS)
    late = await asked(admin, gym, "objection", received=received)
    assert (late["late"], late["open"]) == (True, True)
    listed = (await admin.get("/v1/requests")).json()
    assert [each["kind"] for each in listed] == ["objection", "access"]  # what is due first comes first
    assert (await step(admin, late, "extend")).status_code == 409  # told within the month, or not at all
    extended = (await step(admin, request, "extend", "Many recordings")).json()
    assert 88 <= extended["days_left"] <= 93
    assert extended["extension"] == "Many recordings"
    assert (await step(admin, request, "extend")).status_code == 409


@pytest.mark.parametrize("days", [-1, 400])
async def test_day_on_which_it_cannot_have_come_is_refused(office: Office, gym: Gym, admin: Client, days: int) -> None:
    received = to_iso(office.clock.now_ns - days * DAY_NS)
    body = {"member_id": str(gym.aino), "kind": "access", "channel": "desk", "received": received}
    assert (await admin.post("/v1/requests", json=body)).json()["type"] == "urn:tallenne:request-received"


async def test_nothing_leaves_before_it_was_checked_who_asks(office: Office, gym: Gym, admin: Client) -> None:
    request = await asked(admin, gym)
    path = f"/v1/requests/{request['request_id']}"
    assert (await admin.get(f"{path}/copy.json")).status_code == 409
    assert (await step(admin, request, "answer")).status_code == 409
    with pytest.raises(asyncpg.CheckViolationError):
        await office.owner.execute("UPDATE member_request SET state = 'answered', ended_ns = 1 + received_ns")
    assert (await step(admin, request, "identify", "Knows the number, showed a passport")).status_code == 200
    assert (await step(admin, request, "identify", "again")).status_code == 409
    assert (await admin.get(f"{path}/copy.json")).status_code == 200
    office.clock.forward(6 * 60)
    assert (await admin.get(f"{path}/copy.json")).json()["type"] == "urn:tallenne:step-up-needed"


async def test_each_step_is_on_record_without_what_was_written(office: Office, gym: Gym, admin: Client) -> None:
    request = await checked(admin, gym)
    await admin.get(f"/v1/requests/{request['request_id']}/copy.json")
    assert (await step(admin, request, "answer", "Sent by post")).json()["state"] == "answered"
    assert (await step(admin, request, "refuse")).status_code == 409
    other = await asked(admin, gym, "objection")
    assert (await step(admin, other, "refuse", "Needed for safety")).json()["state"] == "refused"
    third = await asked(admin, gym, "erasure")
    assert (await step(admin, third, "withdraw")).json()["state"] == "withdrawn"
    entries = [each for each in await office.audit() if each["action"].startswith(("request_", "copy_"))]
    assert [each["action"] for each in entries] == [
        *("request_received", "request_identified", "copy_made", "request_answered"),
        *("request_received", "request_refused", "request_received", "request_withdrawn"),
    ]
    assert {each["member_id"] for each in entries} == {gym.aino}
    assert not any(text in str(entries) for text in ("Please", "passport", "by post", "safety"))
    ended = (await admin.get("/v1/requests?ended=true")).json()
    assert {each["state"] for each in ended} == {"answered", "refused", "withdrawn"}
    assert (await admin.get("/v1/requests")).json() == []


async def test_copy_holds_all_of_the_member_nothing_of_another_and_no_names_of_staff(
    office: Office, gym: Gym, admin: Client
) -> None:
    await admin.put(f"/v1/register/{gym.aino}", json={"fields": PLANTED})
    await admin.put(f"/v1/register/{gym.onni}", json={"fields": {"email": "onni@example.org"}})
    await admin.post(f"/v1/register/{gym.aino}/consents", json={"purpose": "Newsletter", "how": "paper"})
    await office.owner.execute(
        "INSERT INTO credential VALUES ('04A1B2C3', $1, 0), ('04FFFFFF', $2, 0)", gym.aino, gym.onni
    )
    await tagged(office, gym)
    viewer = await office.signed_in("viewer")
    await viewer.state_purpose()
    await viewer.get("/v1/find?query=aino")
    request = await checked(admin, gym)
    copy = (await admin.get(f"/v1/requests/{request['request_id']}/copy.json")).json()
    assert copy["member"] == {"customer_number": "1042", "name": "Aino Virtanen", "minor": False}
    assert {each["field"]: each["value"] for each in copy["register"]} == PLANTED
    assert [each["purpose"] for each in copy["consents"]] == ["Newsletter"]
    assert [each["credential"] for each in copy["cards"]] == ["04A1B2C3"]
    assert [each["what"] for each in copy["passages"]] == ["granted", "entered", "denied", "exit"]
    assert [each["site"] for each in copy["visits"]] == ["North"]
    assert [(each["camera"], each["site"]) for each in copy["recordings"]] == [("Lobby", "North")]
    assert {"search", "register"} <= {each["kind"] for each in copy["looks"]}
    assert [each["kind"] for each in copy["requests"]] == ["access"]
    text = json.dumps(copy)
    staff = await office.owner.fetch("SELECT staff_id, user_name, display_name FROM staff")
    others = [str(value) for row in staff for value in row.values()]
    assert not [each for each in [*others, str(gym.onni), "Onni", "onni@example.org", "04FFFFFF"] if each in text]


async def tagged(office: Office, gym: Gym) -> None:
    """A recording at the front door while the member's card was used."""
    start_ns = gym.now_ns - 3600 * NS
    await office.owner.execute("SELECT ensure_segment_day($1)", start_ns)
    segment_id = await office.owner.fetchval(
        "INSERT INTO segment (segment_id, site_id, camera_id, recorder_id, hour_key_id, start_ns, end_ns, size_bytes,"
        " sha256, header, codec, mime, width, height, init_size, frames, recovered, committed_ns)"
        " VALUES (gen_random_uuid(), $1, $2, gen_random_uuid(), gen_random_uuid(), $3, $4, 5000,"
        " decode(repeat('00', 32), 'hex'), decode(repeat('00', 210), 'hex'), 'h264', 'avc1.64001f', 640, 360, 700,"
        " 250, false, $3) RETURNING segment_id",
        *(NORTH, LOBBY, start_ns, start_ns + 10 * NS),
    )
    await office.owner.execute(
        "INSERT INTO tag (event_id, segment_id, segment_start_ns, camera_id, start_ns, end_ns)"
        " VALUES ($1, $2, $3, $4, $3, $5)",
        *(gym.granted, segment_id, start_ns, LOBBY, start_ns + 10 * NS),
    )


async def test_erased_person_is_found_in_no_table_and_events_stay(office: Office, gym: Gym, admin: Client) -> None:
    await admin.put(f"/v1/register/{gym.aino}", json={"fields": PLANTED})
    await admin.put(f"/v1/register/{gym.aino}", json={"fields": {"name": "Aino Planted"}})
    await admin.post(f"/v1/register/{gym.aino}/consents", json={"purpose": "Newsletter", "how": "paper"})
    await office.owner.execute("INSERT INTO credential VALUES ('04PLANTED', $1, 0)", gym.aino)
    former = await asked(admin, gym, "access", details="I am Aino Planted.")
    await step(admin, former, "identify", "Aino Planted's passport")
    await step(admin, former, "extend", "So many recordings of Aino Planted")
    await step(admin, former, "answer", "Dear Aino Planted")
    request = await checked(admin, gym, "erasure")
    traces = ["1042", "Aino", "Planted", "planted", "PLANTED", "1112223"]
    assert await found_in(office.owner, traces)  # the search finds what is there
    path = f"/v1/requests/{request['request_id']}/erase-person"
    assert (await admin.post(path)).status_code == 200
    assert await found_in(office.owner, traces) == []
    assert (await admin.post(path)).status_code == 409
    assert (await admin.get(f"/v1/register/{gym.aino}")).status_code == 404
    assert (await admin.get("/v1/members?query=aino")).json() == []
    assert await office.owner.fetchval("SELECT count(*) FROM access_event WHERE member_id = $1", gym.aino) == 4
    ended = (await step(admin, request, "answer", "You are erased.")).json()
    assert (ended["name"], ended["number"], ended["erased"] is not None) == (None, None, True)
    assert [each["action"] for each in await office.audit()].count("person_erased") == 1
    assert await office.owner.fetchval("SELECT count(*) FROM member_identity") == 1


async def found_in(owner: asyncpg.Connection, traces: list[str]) -> list[str]:
    """The tables in which one of the texts stands, in any column."""
    tables = await owner.fetch(
        "SELECT table_name AS name FROM information_schema.tables"
        " WHERE table_schema = 'tallenne' AND table_type = 'BASE TABLE'"
    )
    # Ids and hashes are hexadecimal, times are long, and could hold a number by chance: no person wrote them.
    chance = r"[0-9a-f]{8}-[0-9a-f-]{27}|\\x[0-9a-f]+|[0-9]{15,}"
    query = "SELECT EXISTS (SELECT FROM {} AS t WHERE regexp_replace(t::text, $1, '', 'g') ~ $2)"
    names = [row["name"] for row in tables]
    return [name for name in names if await owner.fetchval(query.format(name), chance, "|".join(traces))]


@pytest.mark.parametrize("kind", ["access", "restriction"])
async def test_person_is_erased_by_a_checked_request_of_that_kind_alone(
    office: Office, gym: Gym, admin: Client, kind: str
) -> None:
    other, unchecked = await checked(admin, gym, kind), await asked(admin, gym, "erasure")
    for request in (other, unchecked):
        assert (await admin.post(f"/v1/requests/{request['request_id']}/erase-person")).status_code == 409
    serve = await office.rooms.records.pool.acquire()
    for table in ("member_field", "member_consent", "member_identity", "credential", "member_request"):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await serve.execute(f"DELETE FROM {table}")
    changes = ("member_field SET value = ''", "member_consent SET purpose = ''", "member_request SET received_ns = 1")
    for change in (*changes, "member_request SET details = ''", "member_request SET erased_ns = 1"):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await serve.execute(f"UPDATE {change}")
    await office.rooms.records.pool.release(serve)
    assert (await admin.get(f"/v1/register/{gym.aino}")).status_code == 200

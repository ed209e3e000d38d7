"""What a second person sees and does before a copy leaves, how a request ends without one, and what is kept of that."""

from __future__ import annotations

import asyncio
import json
import uuid
from typing import Any

import asyncpg
import pytest

from api.credentials.accounts import NewGrant
from api.export import rows
from domain.time import NS, to_iso
from tests.integration.api.conftest import Client, Office
from tests.integration.api.footage import Footage
from tests.integration.api.gym import CORRIDOR, LOBBY, NORTH, SOUTH, Gym
from tests.integration.api.test_exports import asked, body, exporter, look_at, made

pytestmark = pytest.mark.services
PART = {"Range": "bytes=0-8191"}


def path_of(export: dict[str, Any]) -> str:
    return f"/v1/exports/{export['export_id']}"


def kind(answer: Any) -> str:
    return str(answer.json()["type"]).removeprefix("urn:tallenne:")


async def waiting(client: Client) -> int:
    return int((await client.get("/v1/exports-waiting")).json()["waiting"])


async def steps(client: Client, **query: Any) -> list[tuple[str, str | None, str | None]]:
    """What happened, by whom, why; the oldest first."""
    found = (await client.get("/v1/export-history", params=query)).json()["steps"]
    return [(each["step"], each["who"], each["reason"]) for each in reversed(found)]


async def clip(client: Client, export: dict[str, Any], camera: Any, purpose: str, **query: str) -> Any:
    span = {"start": export["start"], "end": export["end"], "purpose": purpose, **query}
    return await client.get(f"{path_of(export)}/cameras/{camera}/clip.mp4", params=span, headers=PART)


@pytest.mark.trust
async def test_approver_sees_the_very_clip_and_its_members_on_record_before_it_opens(
    office: Office, gym: Gym, footage: Footage
) -> None:
    """An administrator, too, who may look at no footage otherwise."""
    client = await exporter(office)
    await gym.event("granted", footage.span.start_ns + 5 * NS, member=gym.aino)
    await gym.event("granted", footage.span.start_ns + 6 * NS, member=gym.onni)
    await office.owner.execute("UPDATE member SET minor = true WHERE member_id = $1", gym.onni)
    export = await asked(client, body(footage, LOBBY))
    boss = await office.signed_in(NewGrant(role="admin", site_id=NORTH))
    seen = (await boss.post(f"{path_of(export)}/preview")).json()
    assert seen["export"]["may_approve"] and seen["export"]["minor"]
    assert seen["export"]["reason"] == "a test" and seen["export"]["asked_by"].startswith("Staff-")
    assert [(each["name"], each["minor"]) for each in seen["members"]] == [
        ("Onni Järvi <b>", True),
        ("Aino Virtanen", False),
    ]
    assert [(each["name"], len(each["footage"]), each["gaps"]) for each in seen["cameras"]] == [("Lobby", 1, [])]
    previewed = (await office.audit())[-1]
    assert previewed["action"] == "export_previewed"
    assert set(json.loads(previewed["detail"])["members"]) == {str(gym.aino), str(gym.onni)}
    part = await clip(boss, export, LOBBY, seen["purpose_id"])
    assert part.status_code == 206 and part.content[4:8] == b"ftyp"
    look = (await office.audit())[-1]
    assert (look["action"], look["camera_id"], look["actor"]) == ("look", LOBBY, previewed["actor"])
    assert str(look["purpose_id"]) == str(previewed["purpose_id"]) == seen["purpose_id"]
    stated = await office.owner.fetchrow("SELECT * FROM purpose WHERE purpose_id = $1", look["purpose_id"])
    assert stated is not None
    assert (stated["category"], stated["reason"], str(stated["export_id"])) == (
        "approval",
        "a test",
        export["export_id"],
    )
    again = (await boss.post(f"{path_of(export)}/preview")).json()
    assert again["purpose_id"] == seen["purpose_id"]


@pytest.mark.trust
async def test_preview_opens_nothing_else_and_no_longer_than_the_export_waits(office: Office, footage: Footage) -> None:
    client = await exporter(office)
    export = await asked(client, body(footage, LOBBY))
    second = await office.signed_in("exporter")
    purpose = (await second.post(f"{path_of(export)}/preview")).json()["purpose_id"]
    earlier = to_iso(footage.span.start_ns)
    assert (await clip(second, export, CORRIDOR, purpose)).status_code == 404
    assert (await clip(second, export, LOBBY, purpose, start=earlier)).status_code == 404
    assert (await clip(second, export, LOBBY, str(uuid.uuid4()))).status_code == 404
    # Nor does its purpose serve for anything else: not for other footage, and not for a search.
    span = {"start": export["start"], "end": export["end"], "purpose": purpose}
    elsewhere = await second.get(f"/v1/cameras/{LOBBY}/clip.mp4", params=span, headers=PART)
    assert kind(elsewhere) == "purpose-needed"
    find = await second.get("/v1/find?query=aino", headers={"Tallenne-Purpose": purpose})
    assert kind(find) == "purpose-needed"
    assert (await second.get("/v1/session")).json()["purpose"] is None
    # The custodian refuses by itself what the route did not.
    look = {"session": "session_id", "camera_id": CORRIDOR}
    session = await office.owner.fetchval("SELECT session_id FROM purpose WHERE purpose_id = $1", uuid.UUID(purpose))
    start_ns, end_ns = footage.span.start_ns + NS, footage.span.start_ns + 2 * NS
    ask = "SELECT staff_may_preview($1, $2, $3, $4, $5, $6)"
    for camera, begin_ns, may in ((LOBBY, start_ns, True), (look["camera_id"], start_ns, False), (LOBBY, 1, False)):
        values = session, uuid.UUID(export["export_id"]), camera, begin_ns, end_ns, office.clock.now_ns
        assert await office.owner.fetchval(ask, *values) is may
    assert (await clip(second, export, LOBBY, purpose)).status_code == 206
    assert (await second.post(f"{path_of(export)}/approve", json={})).status_code == 200
    assert (await clip(second, export, LOBBY, purpose)).status_code == 404
    assert kind(await second.post(f"{path_of(export)}/preview")) == "not-waiting"


@pytest.mark.trust
async def test_preview_is_a_second_persons_of_all_its_cameras(office: Office, footage: Footage) -> None:
    client = await exporter(office)
    export = await asked(client, body(footage))
    assert kind(await client.post(f"{path_of(export)}/preview")) == "own-export"
    for grant in (
        NewGrant(role="exporter", camera_id=LOBBY),
        NewGrant(role="admin", site_id=SOUTH),
        "viewer",
        "auditor",
    ):
        other = await office.signed_in(grant)
        assert (await other.post(f"{path_of(export)}/preview")).status_code == 404
    assert [row["action"] for row in await office.audit()].count("export_previewed") == 0


async def test_nothing_is_approved_unseen_not_one_camera(office: Office, footage: Footage) -> None:
    client = await exporter(office)
    export = await asked(client, body(footage))
    second, third = await office.signed_in("exporter"), await office.signed_in("exporter")
    assert kind(await second.post(f"{path_of(export)}/approve", json={})) == "clip-unseen"
    seen = (await second.post(f"{path_of(export)}/preview")).json()
    assert kind(await second.post(f"{path_of(export)}/approve", json={})) == "clip-unseen"
    assert (await clip(second, export, LOBBY, seen["purpose_id"])).status_code == 206
    assert kind(await second.post(f"{path_of(export)}/approve", json={})) == "clip-unseen"
    assert (await clip(second, export, CORRIDOR, seen["purpose_id"])).status_code == 206
    assert (
        kind(await third.post(f"{path_of(export)}/approve", json={})) == "clip-unseen"
    )  # another's look is not theirs
    assert (await second.post(f"{path_of(export)}/approve", json={})).json()["state"] == "approved"


async def test_refusal_has_a_reason_which_the_asker_reads(office: Office, footage: Footage) -> None:
    client = await exporter(office)
    export = await asked(client, body(footage, LOBBY))
    second = await office.signed_in("exporter")
    for reason in ("", "  ", "no\x00", "x" * 501):
        assert (await second.post(f"{path_of(export)}/refuse", json={"reason": reason})).status_code == 422
    assert kind(await client.post(f"{path_of(export)}/refuse", json={"reason": "mine"})) == "own-export"
    refused = await second.post(f"{path_of(export)}/refuse", json={"reason": " Too long: <b>ask</b> for a minute. "})
    assert refused.json()["state"] == "refused"
    told = (await client.get(path_of(export))).json()
    assert (told["state"], told["refusal"]) == ("refused", "Too long: <b>ask</b> for a minute.")
    assert told["ended_by"] == refused.json()["ended_by"] != told["asked_by"]
    for name, sent in (("approve", {}), ("refuse", {"reason": "again"})):
        assert kind(await second.post(f"{path_of(export)}/{name}", json=sent)) == "export-refused"
    assert kind(await client.post(f"{path_of(export)}/prepare")) == "export-refused"
    assert kind(await client.post(f"{path_of(export)}/cancel")) == "not-waiting"
    assert "Too long" not in str([dict(row) for row in await office.audit()])  # on record: that, not what was typed
    assert [row["action"] for row in await office.audit()].count("export_declined") == 1


async def test_asker_takes_it_back_while_it_waits(office: Office, footage: Footage) -> None:
    client = await exporter(office)
    export = await asked(client, body(footage, LOBBY))
    assert export["may_cancel"]
    second = await office.signed_in("exporter")
    assert (await second.post(f"{path_of(export)}/cancel")).status_code == 404
    await look_at(second, export)
    assert (await client.post(f"{path_of(export)}/cancel")).json()["state"] == "cancelled"
    assert kind(await second.post(f"{path_of(export)}/approve", json={})) == "export-cancelled"
    assert kind(await client.post(f"{path_of(export)}/cancel")) == "not-waiting"
    approved = await made(office, client, body(footage, LOBBY))
    assert kind(await client.post(f"{path_of(approved)}/cancel")) == "not-waiting"


async def test_footage_that_ends_while_it_waits_ends_the_request(office: Office, footage: Footage) -> None:
    client = await exporter(office)
    export, other = await asked(client, body(footage)), await asked(client, body(footage, CORRIDOR))
    second = await office.signed_in("exporter")
    for each in (export, other):
        await look_at(second, each)
    records = office.rooms.records
    assert await rows.lapse_all(records) == 0
    first = footage.segments[LOBBY][0]
    await office.owner.execute("UPDATE segment SET state = 'expiring' WHERE segment_id = $1", first.segment_id)
    # An approval finds it by itself, before the turn that looks at all that wait.
    assert kind(await second.post(f"{path_of(export)}/approve", json={})) == "export-lapsed"
    told = (await client.get(path_of(export))).json()
    assert (told["state"], told["ended_by"], told["refusal"]) == ("lapsed", None, None)
    await office.owner.execute("UPDATE segment SET state = 'expiring' WHERE camera_id = $1", CORRIDOR)
    assert await rows.lapse_all(records) == 1
    assert await rows.lapse_all(records) == 0
    assert (await client.get(path_of(other))).json()["state"] == "lapsed"
    lapsed = [row for row in await office.audit() if row["action"] == "export_lapsed"]
    assert [row["actor"] for row in lapsed] == ["role:serve"] * 2
    assert await steps(client, export_id=export["export_id"]) == [
        ("asked", told["asked_by"], "a test"),
        ("lapsed", None, None),
    ]


async def test_footage_that_arrives_while_it_waits_counts_from_then_on(office: Office, footage: Footage) -> None:
    client = await exporter(office)
    late = footage.segments[LOBBY][-1]
    await office.owner.execute("UPDATE segment SET state = 'shadow' WHERE segment_id = $1", late.segment_id)
    whole = {"start": to_iso(footage.span.start_ns), "end": to_iso(footage.span.end_ns)}
    export = await asked(client, {**body(footage, LOBBY), **whole})
    await office.owner.execute("UPDATE segment SET state = 'live' WHERE segment_id = $1", late.segment_id)
    assert await rows.lapse_all(office.rooms.records) == 0
    await office.owner.execute("UPDATE segment SET state = 'shadow' WHERE segment_id = $1", late.segment_id)
    assert await rows.lapse_all(office.rooms.records) == 1
    assert (await client.get(path_of(export))).json()["state"] == "lapsed"


async def test_what_has_no_footage_yet_is_not_approved(office: Office, gym: Gym, footage: Footage) -> None:
    """It may still be on its way; until it is there, nothing can be looked at."""
    client = await exporter(office)
    await office.owner.execute("UPDATE segment SET state = 'shadow'")
    span = {"start": to_iso(office.clock.now_ns - 9 * NS), "end": to_iso(office.clock.now_ns)}
    export = await asked(client, {**body(footage, LOBBY), **span})
    second = await office.signed_in("exporter")
    assert kind(await second.post(f"{path_of(export)}/approve", json={})) == "no-footage"
    assert (await client.get(path_of(export))).json()["state"] == "approval"


@pytest.mark.trust
async def test_count_is_of_those_that_this_person_may_decide_about(office: Office, footage: Footage) -> None:
    client = await exporter(office)
    for cameras in ((LOBBY,), (LOBBY, CORRIDOR)):
        await asked(client, body(footage, *cameras))
    assert await waiting(client) == 0
    for grants, count in (
        (["exporter"], 2),
        ([NewGrant(role="admin", site_id=NORTH)], 2),
        ([NewGrant(role="exporter", camera_id=LOBBY)], 1),
        ([NewGrant(role="exporter", camera_id=LOBBY), NewGrant(role="admin", camera_id=CORRIDOR)], 2),
        ([NewGrant(role="exporter", site_id=SOUTH), "viewer"], 0),
    ):
        other = await office.signed_in(*grants)
        assert await waiting(other) == count == len((await other.get("/v1/exports")).json()), grants
    puppet, staff = await office.hire("exporter")
    asker = await office.owner.fetchval("SELECT staff_id FROM footage_export LIMIT 1")
    await office.owner.execute(
        "INSERT INTO staff_handover VALUES ($1, $2, 'account', $3)", staff.staff_id, asker, office.clock.now_ns
    )
    values = staff.staff_id, ["exporter"], office.clock.now_ns
    assert (
        puppet
        and await office.rooms.records.pool.fetchval(rows.sql.load("api.export", "exports_waiting_for"), *values) == 0
    )


async def test_history_is_kept_for_both_page_after_page(office: Office, footage: Footage) -> None:
    client = await exporter(office)
    second = await exporter(office)
    onlooker = await exporter(office)
    names = {}
    for name, who in (("asker", client), ("second", second)):
        names[name] = (await who.get("/v1/session")).json()["display_name"]
    approved = await asked(client, body(footage, LOBBY))
    refused = await asked(client, body(footage, CORRIDOR))
    await look_at(second, approved)
    assert (await second.post(f"{path_of(approved)}/approve", json={})).status_code == 200
    assert (await second.post(f"{path_of(refused)}/refuse", json={"reason": "not this one"})).status_code == 200
    both = [
        ("asked", names["asker"], "a test"),
        ("asked", names["asker"], "a test"),
        ("approved", names["second"], None),
        ("refused", names["second"], "not this one"),
    ]
    assert await steps(client) == await steps(second) == both
    assert await steps(onlooker) == []
    listed = [row for row in await office.audit() if row["action"] == "exports_listed"]
    assert str(listed[-1]["actor"]).startswith("staff:") and approved["export_id"] in str(listed[-1]["detail"])
    found, before = [], None
    while True:
        page = (
            await client.get("/v1/export-history", params={"limit": 3, **({"before": before} if before else {})})
        ).json()
        found += page["steps"]
        if (before := page["next"]) is None:
            break
    assert [each["step"] for each in found] == ["refused", "approved", "asked", "asked"]
    assert found[0]["cameras"] == ["Corridor"] and found[0]["own"]
    # A right that was withdrawn takes what is another's out of one's history.
    await office.owner.execute(
        "DELETE FROM staff_grant WHERE staff_id = (SELECT ended_by FROM footage_export WHERE state = 'refused')"
    )
    assert (await second.get("/v1/export-history")).status_code == 404
    south = (await second.get("/v1/session")).json()["staff_id"]
    grant = "INSERT INTO staff_grant (grant_id, staff_id, role, site_id) VALUES (gen_random_uuid(), $1, 'exporter', $2)"
    await office.owner.execute(grant, uuid.UUID(south), SOUTH)
    assert await steps(second) == []


async def test_of_a_refusal_an_approval_and_a_cancellation_at_once_one_counts(office: Office, footage: Footage) -> None:
    client = await exporter(office)
    approver, refuser = await office.signed_in("exporter"), await office.signed_in("exporter")
    for _ in range(5):
        export = await asked(client, body(footage, LOBBY))
        await look_at(approver, export)
        answers = await asyncio.gather(
            approver.post(f"{path_of(export)}/approve", json={}),
            refuser.post(f"{path_of(export)}/refuse", json={"reason": "at the same time"}),
            client.post(f"{path_of(export)}/cancel"),
        )
        assert sorted(each.status_code for each in answers) == [200, 409, 409]
        assert len(await steps(client, export_id=export["export_id"])) == 2


async def test_database_itself_keeps_an_end_and_its_reason_together(office: Office, footage: Footage) -> None:
    client = await exporter(office)
    export_id = uuid.UUID((await asked(client, body(footage)))["export_id"])
    for change in (
        "state = 'refused', ended_ns = 1, ended_by = staff_id, refusal = 'own'",
        "state = 'refused', ended_ns = 1, ended_by = gen_random_uuid()",
        "state = 'cancelled', ended_ns = 1",
        "state = 'lapsed'",
        "refusal = 'why'",
        "state = 'lapsed', ended_ns = 1, approved_by = gen_random_uuid()",
    ):
        with pytest.raises(asyncpg.CheckViolationError):
            await office.owner.execute(f"UPDATE footage_export SET {change} WHERE export_id = $1", export_id)
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await office.rooms.records.pool.execute("DELETE FROM export_step")

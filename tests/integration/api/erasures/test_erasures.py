"""Early erasure over HTTP: ordered by one, decided by another, kept by a case; the footage is gone at once."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from api.credentials.accounts import NewGrant
from domain.time import DAY_NS, NS, Span, to_iso
from tests.conftest import Database
from tests.integration.api.conftest import Client, Office
from tests.integration.api.footage import Footage, footage_of
from tests.integration.api.gym import CORRIDOR, FRONT, LOBBY, NORTH, SOUTH, SOUTH_CAMERA, Gym, open_gym

pytestmark = pytest.mark.services


@pytest.fixture
async def gym(office: Office) -> Gym:
    return await open_gym(office.owner, office.clock.now_ns)


@pytest.fixture
async def footage(office: Office, gym: Gym, database: Database, tmp_path: Path) -> AsyncIterator[Footage]:
    cameras = {LOBBY: NORTH, CORRIDOR: NORTH, SOUTH_CAMERA: SOUTH}
    async with footage_of(office, database, cameras, tmp_path) as made:
        yield made


async def person(office: Office, *grants: NewGrant | str) -> Client:
    client = await office.signed_in(*(grants or ("admin",)))
    await client.state_purpose()
    return client


def body_of(span: Span, *cameras: Any) -> dict[str, Any]:
    return {
        "reason": "Asiakas pyysi.",
        "camera_ids": [str(each) for each in cameras or (LOBBY,)],
        "start": to_iso(span.start_ns),
        "end": to_iso(span.end_ns),
    }


async def ordered(client: Client, body: dict[str, Any]) -> dict[str, Any]:
    answer = await client.post("/v1/erasures", json=body)
    assert answer.status_code == 201, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def live(office: Office, camera: Any) -> int:
    query = "SELECT count(*) FROM segment WHERE camera_id = $1 AND state = 'live'"
    return int(await office.owner.fetchval(query, camera))


async def test_one_orders_and_another_approves(office: Office, footage: Footage) -> None:
    anna, berit, viewer = await person(office, "exporter"), await person(office), await person(office, "viewer")
    before = await live(office, LOBBY)
    first = footage.segments[LOBBY][0]
    assert (await viewer.post("/v1/erasures", json=body_of(first.span))).status_code == 404
    order = await ordered(anna, body_of(Span(first.span.start_ns, first.span.start_ns + NS)))
    path = f"/v1/erasures/{order['erasure_id']}"
    assert (order["state"], order["segments"], order["blocks"]) == ("asked", 1, [])
    assert (order["may_decide"], order["may_cancel"]) == (False, True)
    assert (await anna.post(f"{path}/approve")).status_code == 404  # an exporter orders and does not approve
    assert await live(office, LOBBY) == before
    waiting = (await berit.get("/v1/erasures")).json()
    assert [(one["erasure_id"], one["may_decide"]) for one in waiting] == [(order["erasure_id"], True)]
    done = await berit.post(f"{path}/approve")
    assert done.status_code == 200, done.text
    assert (done.json()["state"] in ("approved", "done"), done.json()["segments"]) == (True, 1)
    assert await live(office, LOBBY) == before - 1
    again = await berit.post(f"{path}/approve")
    assert (again.status_code, again.headers["Tallenne-Problem"]) == (409, "erasure-state")
    watcher = await person(office, "viewer")
    start = to_iso(first.span.start_ns - NS)
    timeline = await watcher.get(f"/v1/cameras/{LOBBY}/timeline?start={start}&end={to_iso(first.span.end_ns)}")
    causes = {gap["cause"] for gap in timeline.json()["gaps"]}
    assert "erased" in causes
    actions = [row["action"] for row in await office.owner.fetch("SELECT action FROM audit_entry ORDER BY seq")]
    assert [each for each in actions if each.startswith("erasure")] == ["erasure_asked", "erasure_approved"]


async def test_case_keeps_it_and_the_order_says_why(office: Office, footage: Footage) -> None:
    anna, berit = await person(office), await person(office)
    review = to_iso(office.clock.now_ns + 30 * DAY_NS)
    words = {"title": "Kaatuminen", "reason": "Vakuutusyhtiö kysyy.", "review": review}
    case = (await anna.post("/v1/cases", json=words)).json()
    hold = body_of(footage.span)
    del hold["reason"]
    assert (await anna.post(f"/v1/cases/{case['case_id']}/holds", json=hold)).status_code == 201
    order = await ordered(anna, body_of(footage.span))
    (block,) = order["blocks"]
    assert (block["number"], block["reason"], block["kind"]) == (case["number"], "Vakuutusyhtiö kysyy.", "hold")
    path = f"/v1/erasures/{order['erasure_id']}"
    refused = await berit.post(f"{path}/approve")
    assert (refused.status_code, refused.headers["Tallenne-Problem"]) == (409, "erasure-kept")
    assert "Vakuutusyhtiö kysyy." in refused.text
    assert (await berit.get(path)).json()["state"] == "asked"
    assert (await berit.post(f"{path}/refuse")).json()["state"] == "refused"


async def test_order_is_taken_back_by_its_asker_only(office: Office, footage: Footage) -> None:
    anna, berit = await person(office), await person(office)
    order = await ordered(anna, body_of(footage.span, LOBBY, CORRIDOR))
    path = f"/v1/erasures/{order['erasure_id']}"
    own = await anna.post(f"{path}/approve")
    assert (own.status_code, own.headers["Tallenne-Problem"]) == (409, "erasure-state")
    assert (await berit.post(f"{path}/cancel")).status_code == 409
    assert (await anna.post(f"{path}/cancel")).json()["state"] == "cancelled"
    assert len(order["places"]) == 2


async def test_order_of_another_site_is_out_of_sight(office: Office, footage: Footage) -> None:
    anna, south = await person(office), await person(office, NewGrant(role="admin", site_id=SOUTH))
    order = await ordered(anna, body_of(footage.span))
    assert (await south.get("/v1/erasures")).json() == []
    assert (await south.post(f"/v1/erasures/{order['erasure_id']}/refuse")).status_code == 404
    assert (await south.post("/v1/erasures", json=body_of(footage.span))).status_code == 404
    await ordered(south, body_of(footage.span, SOUTH_CAMERA))


async def test_all_footage_tagged_with_one_member_is_erased_and_its_tags_end(office: Office, footage: Footage) -> None:
    anna, berit = await person(office), await person(office)
    member_id, event_id = uuid.uuid4(), uuid.uuid4()
    await office.owner.execute("INSERT INTO member VALUES ($1, 0, false)", member_id)
    shown = footage.segments[LOBBY][1]
    door = await office.owner.fetchval("SELECT door_id FROM door_camera WHERE camera_id = $1 LIMIT 1", LOBBY)
    await office.owner.execute("UPDATE door_camera SET valid_from_ns = 0, before_ns = 0, after_ns = 1")
    await office.owner.execute(
        "INSERT INTO access_event (event_id, dedup_key, site_id, door_id, kind, member_id, occurred_ns, received_ns)"
        " VALUES ($1, sha256($2), $3, $4, 'granted', $5, $6, $6)",
        event_id,
        event_id.bytes,
        NORTH,
        door,
        member_id,
        shown.span.start_ns + 1,
    )
    before = await live(office, LOBBY)
    order = await ordered(anna, {"reason": "Jäsen pyysi (GDPR 17).", "member_id": str(member_id)})
    assert order["of_member"]
    assert order["segments"] >= 1
    approved = await berit.post(f"/v1/erasures/{order['erasure_id']}/approve")
    assert approved.status_code == 200, approved.text
    assert await live(office, LOBBY) == before - 1
    state = "SELECT state FROM segment WHERE segment_id = $1"
    assert await office.owner.fetchval(state, shown.segment_id) == "expiring"
    told = "SELECT count(*) FROM outbox WHERE kind = 'segment' AND ref = $1"
    assert await office.owner.fetchval(told, shown.segment_id) >= 1  # the indexer ends its tags
    entry = await office.owner.fetchrow("SELECT member_id FROM audit_entry WHERE action = 'erasure_asked'")
    assert entry["member_id"] == member_id
    nobody = await anna.post("/v1/erasures", json={"reason": "x", "member_id": str(uuid.uuid4())})
    assert nobody.status_code in (404, 409)
    assert FRONT

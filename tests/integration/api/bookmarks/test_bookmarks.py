"""Bookmarks: who adds, sees and removes them, how they go into a case, and that none outlives its footage."""

from __future__ import annotations

import uuid
from typing import Any

import pytest

from api.credentials.accounts import NewGrant
from domain.ids import CameraId
from domain.time import DAY_NS, NS, to_iso
from tests.integration.api.cases.test_cases import hold_of, keeper_of_cases, opened
from tests.integration.api.conftest import Client, Office
from tests.integration.api.footage import Footage
from tests.integration.api.gym import CORRIDOR, LOBBY, SOUTH, Gym
from tests.integration.api.test_exports import footage, gym

__all__ = ["footage", "gym"]
pytestmark = pytest.mark.services
NOTE = "Two came in on <b>one</b> card"


async def viewer(office: Office, *grants: NewGrant | str) -> Client:
    client = await office.signed_in(*(grants or ("viewer",)))
    await client.state_purpose()
    return client


async def bookmark(
    client: Client, footage: Footage, *, camera: CameraId = LOBBY, after_s: int = 5, note: str = NOTE
) -> Any:
    at = to_iso(footage.span.start_ns + after_s * NS)
    return await client.post("/v1/bookmarks", json={"camera_id": str(camera), "at": at, "note": note})


async def bookmarks(client: Client, footage: Footage, camera: CameraId = LOBBY) -> list[dict[str, Any]]:
    span = {"start": to_iso(footage.span.start_ns), "end": to_iso(footage.span.end_ns)}
    answer = await client.get(f"/v1/cameras/{camera}/timeline", params=span)
    assert answer.status_code == 200, answer.text
    return list(answer.json()["bookmarks"])


async def left(office: Office) -> int:
    found: int = await office.owner.fetchval("SELECT count(*) FROM bookmark")
    return found


async def test_bookmark_is_seen_by_those_who_may_look_and_removed_by_its_author(
    office: Office, footage: Footage
) -> None:
    anna, berit = await viewer(office), await viewer(office, NewGrant(role="viewer", camera_id=LOBBY))
    south = await viewer(office, NewGrant(role="viewer", site_id=SOUTH))
    added = await bookmark(anna, footage, note=f"  {NOTE}\n")
    assert added.status_code == 201, added.text
    assert (await bookmark(anna, footage, camera=CORRIDOR, note="")).status_code == 201
    assert (await bookmark(south, footage)).status_code == 404
    assert (await bookmark(berit, footage, camera=CORRIDOR)).status_code == 404
    ((mine,), (seen,)) = await bookmarks(anna, footage), await bookmarks(berit, footage)
    assert mine == added.json() and seen == {**mine, "mine": False}
    assert (mine["note"], mine["mine"], mine["in_case"], mine["camera"]) == (NOTE, True, False, "Lobby")
    assert mine["by"] and mine["at"] == to_iso(footage.span.start_ns + 5 * NS)
    path = f"/v1/bookmarks/{mine['bookmark_id']}/remove"
    assert (await berit.post(path)).status_code == 404
    assert (await anna.post(path)).status_code == 204
    assert await bookmarks(berit, footage) == []
    assert (await anna.post(path)).status_code == 404
    rows = [row for row in await office.audit() if row["action"].startswith("bookmark_")]
    assert [row["action"] for row in rows] == ["bookmark_added", "bookmark_added", "bookmark_removed"]
    assert all(row["camera_id"] and row["purpose_id"] and NOTE not in row["detail"] for row in rows)


async def test_only_footage_that_can_be_shown_is_bookmarked(office: Office, footage: Footage) -> None:
    client = await keeper_of_cases(office)
    assert (await bookmark(client, footage)).status_code == 201
    for after_s in (-20, 3600):
        refused = await bookmark(client, footage, after_s=after_s)
        assert (refused.status_code, refused.headers["Tallenne-Problem"]) == (409, "bookmark-footage")
    assert (await bookmark(client, footage, note="x" * 1001)).status_code == 422
    case = await opened(client, office)
    hold = await client.post(f"/v1/cases/{case['case_id']}/holds", json=hold_of(footage, kind="restriction"))
    assert hold.status_code == 201
    assert (await bookmark(client, footage)).status_code == 409
    assert (
        await bookmarks(client, footage) == [] and await left(office) == 1
    )  # closed with the footage until it is lifted


async def test_bookmark_goes_into_a_case_that_keeps_its_moment(office: Office, footage: Footage) -> None:
    anna = await keeper_of_cases(office)
    case = await opened(anna, office)
    path = f"/v1/cases/{case['case_id']}"
    body = {"bookmark_id": (await bookmark(anna, footage)).json()["bookmark_id"]}
    refused = await anna.post(f"{path}/bookmarks", json=body)
    assert (refused.status_code, refused.headers["Tallenne-Problem"]) == (409, "bookmark-case")
    assert (await anna.post(f"{path}/holds", json=hold_of(footage))).status_code == 201
    assert (await anna.post(f"{path}/bookmarks", json=body)).status_code == 204
    (listed,) = (await anna.get(f"{path}/bookmarks")).json()
    assert (listed["note"], listed["in_case"]) == (NOTE, True)
    assert (await bookmarks(anna, footage))[0]["in_case"]
    # Who keeps cases but may not look at footage sees the case without its bookmarks, and files none.
    admin = await keeper_of_cases(office, "admin")
    assert (await admin.get(f"{path}/bookmarks")).json() == []
    assert (await admin.post(f"{path}/bookmarks", json=body)).status_code == 404
    assert (await anna.post(f"{path}/bookmarks", json={"bookmark_id": str(uuid.uuid4())})).status_code == 404
    # The case keeps the footage past its end, and the bookmark with it, until the case ends.
    await expire(office)
    assert await bookmarks(anna, footage) == [listed]
    hold_id = await office.owner.fetchval("SELECT hold_id FROM hold")
    assert await office.owner.fetchval("SELECT end_hold($1, $2)", hold_id, office.clock.now_ns) > 0
    assert await left(office) == 0


async def expire(office: Office) -> None:
    keys = "SELECT array_agg(hour_key_id) FROM hour_key"
    assert await office.owner.fetchval(f"SELECT expire_hour_keys(({keys}), $1)", office.clock.now_ns + 99 * DAY_NS) > 0


async def test_bookmark_ends_when_its_footage_expires(office: Office, footage: Footage) -> None:
    client = await viewer(office)
    for camera in (LOBBY, CORRIDOR):
        assert (await bookmark(client, footage, camera=camera)).status_code == 201
    await expire(office)
    assert await left(office) == 0


async def test_bookmark_ends_when_its_footage_is_erased_early(office: Office, footage: Footage) -> None:
    exporter, admin = await viewer(office, "exporter"), await viewer(office, "admin")
    for camera in (LOBBY, CORRIDOR):
        assert (await bookmark(exporter, footage, camera=camera)).status_code == 201
    span = {"start": to_iso(footage.span.start_ns), "end": to_iso(footage.span.end_ns)}
    order = await exporter.post("/v1/erasures", json={"reason": "She asks.", "camera_ids": [str(LOBBY)], **span})
    assert order.status_code == 201, order.text
    approved = await admin.post(f"/v1/erasures/{order.json()['erasure_id']}/approve")
    assert approved.status_code == 200, approved.text
    assert await bookmarks(exporter, footage) == []
    assert [each["camera"] for each in await bookmarks(exporter, footage, CORRIDOR)] == ["Corridor"]
    assert await left(office) == 1


async def test_member_is_told_what_was_noted_while_they_passed(office: Office, gym: Gym, footage: Footage) -> None:
    client = await viewer(office)
    await bookmark(client, footage, after_s=5)
    await bookmark(client, footage, after_s=9, note="somebody else")
    segment, start_ns = footage.segments[LOBBY][0], footage.span.start_ns
    await office.owner.execute(
        "INSERT INTO tag VALUES ($1, $2, $3, $4, $5, $6)",
        *(gym.granted, segment.segment_id, segment.span.start_ns, LOBBY, start_ns + 4 * NS, start_ns + 6 * NS),
    )
    auditor = await office.signed_in("auditor")
    told = (await auditor.get(f"/v1/members/{gym.aino}/looks")).json()
    assert told["bookmarks"] == [{"at": to_iso(start_ns + 5 * NS), "camera": "Lobby", "note": NOTE}]
    assert (await auditor.get(f"/v1/members/{gym.onni}/looks")).json()["bookmarks"] == []


async def test_sweep_takes_bookmarks_that_anything_else_left_without_footage(office: Office, footage: Footage) -> None:
    client = await viewer(office)
    assert (await bookmark(client, footage)).status_code == 201
    orphan = (
        "INSERT INTO bookmark SELECT gen_random_uuid(), camera_id, at_ns - $1, note, staff_id, added_ns FROM bookmark"
    )
    await office.owner.execute(orphan, 3600 * NS)
    assert await office.owner.fetchval("SELECT delete_older('bookmarks', $1, 100)", office.clock.now_ns) == 1
    assert len(await bookmarks(client, footage)) == 1

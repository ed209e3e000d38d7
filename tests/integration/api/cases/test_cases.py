"""Cases over HTTP: opened, held by, noted in, ended by two people; who may see which."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from api.credentials.accounts import NewGrant
from domain.time import DAY_NS, NS, Span, to_iso
from tests.conftest import Database
from tests.integration.api.conftest import Client, Office
from tests.integration.api.footage import Footage, footage_of
from tests.integration.api.gym import CORRIDOR, LOBBY, NORTH, SOUTH, SOUTH_CAMERA, Gym, open_gym
from tests.integration.api.test_exports import look_at

pytestmark = pytest.mark.services
PART = {"Range": "bytes=0-"}


@pytest.fixture
async def gym(office: Office) -> Gym:
    return await open_gym(office.owner, office.clock.now_ns)


@pytest.fixture
async def footage(office: Office, gym: Gym, database: Database, tmp_path: Path) -> AsyncIterator[Footage]:
    cameras = {LOBBY: NORTH, CORRIDOR: NORTH, SOUTH_CAMERA: SOUTH}
    async with footage_of(office, database, cameras, tmp_path) as made:
        yield made


async def keeper_of_cases(office: Office, *grants: NewGrant | str) -> Client:
    client = await office.signed_in(*(grants or ("exporter",)))
    await client.state_purpose()
    return client


async def opened(client: Client, office: Office, title: str = "Kaatuminen aulassa") -> dict[str, Any]:
    review = to_iso(office.clock.now_ns + 30 * DAY_NS)
    answer = await client.post("/v1/cases", json={"title": title, "reason": "Vakuutusyhtiö kysyy.", "review": review})
    assert answer.status_code == 201, answer.text
    found: dict[str, Any] = answer.json()
    return found


def hold_of(footage: Footage, *cameras: Any, **more: Any) -> dict[str, Any]:
    span = Span(footage.span.start_ns, footage.span.end_ns)
    cameras = cameras or (LOBBY,)
    return {
        "camera_ids": [str(each) for each in cameras],
        "start": to_iso(span.start_ns),
        "end": to_iso(span.end_ns),
        **more,
    }


async def prepared(client: Client, export: str) -> dict[str, Any]:
    async with asyncio.timeout(20):
        while True:
            found: dict[str, Any] = (await client.get(export)).json()
            if found["state"] != "working":
                return found
            await asyncio.sleep(0.05)


async def test_case_keeps_footage_and_ends_by_two_people(office: Office, footage: Footage) -> None:
    anna, berit = await keeper_of_cases(office), await keeper_of_cases(office)
    case = await opened(anna, office)
    path = f"/v1/cases/{case['case_id']}"
    assert case["number"].endswith("-001")
    kept = await anna.post(f"{path}/holds", json=hold_of(footage, LOBBY, CORRIDOR))
    assert kept.status_code == 201, kept.text
    segments = await office.owner.fetchval("SELECT count(*) FROM segment WHERE camera_id = ANY ($1)", [LOBBY, CORRIDOR])
    assert kept.json() == {"segments": segments} != {"segments": 0}
    wraps = await office.owner.fetchval("SELECT count(*) FROM wrap_record WHERE hold_id IS NOT NULL")
    assert (wraps, await office.owner.fetchval("SELECT count(*) FROM hold_backlog")) == (segments, 0)
    assert (await anna.post(f"{path}/confirm-end")).status_code == 409  # nobody has asked for it
    assert (await anna.post(f"{path}/end")).json()["state"] == "closing"
    own = await anna.post(f"{path}/confirm-end")
    assert (own.status_code, own.headers["Tallenne-Problem"]) == (403, "own-case")
    assert (await berit.post(f"{path}/keep")).json()["state"] == "open"
    assert (await berit.post(f"{path}/end")).json()["may_end"] is False
    assert (await anna.get(path)).json()["may_end"] is True
    assert (await anna.post(f"{path}/confirm-end")).json() == {"segments_expired": 0}  # its retention is not over
    ended = (await anna.get(path)).json()
    assert (ended["state"], ended["holds"]) == ("closed", 0)
    assert all(each["ended"] for each in ended["in_force"])
    assert await office.owner.fetchval("SELECT count(*) FROM wrap_record WHERE hold_id IS NOT NULL") == 0
    assert await office.owner.fetchval("SELECT count(*) FROM hold WHERE destroyed_ns IS NULL") == 0
    for more in ("holds", "entries", "end"):
        body = {"holds": hold_of(footage), "entries": {"note": "x"}, "end": {}}[more]
        assert (await anna.post(f"{path}/{more}", json=body)).status_code == 409
    actions = [row["action"] for row in await office.owner.fetch("SELECT action FROM audit_entry ORDER BY seq")]
    said = [action for action in actions if action.startswith(("case", "hold"))]
    assert said == [
        *("case_opened", "hold_placed", "hold_placed", "case_end_asked", "case_kept", "case_end_asked", "case_ended")
    ]


async def test_two_people_who_end_a_case_at_once_end_it_once(office: Office, footage: Footage) -> None:
    first, *others = [await keeper_of_cases(office) for _ in range(4)]
    case = await opened(first, office)
    path = f"/v1/cases/{case['case_id']}"
    await first.post(f"{path}/holds", json=hold_of(footage))
    await first.post(f"{path}/end")
    answers = await asyncio.gather(*(each.post(f"{path}/confirm-end") for each in others))
    assert sorted(each.status_code for each in answers) == [200, 409, 409]
    ended = await office.owner.fetchval("SELECT count(*) FROM audit_entry WHERE action = 'case_ended'")
    assert ended == 1


async def test_cases_opened_at_once_have_numbers_of_their_own(office: Office, gym: Gym) -> None:
    client = await keeper_of_cases(office)
    cases = await asyncio.gather(*(opened(client, office, f"case {n}") for n in range(5)))
    assert sorted(case["number"][-3:] for case in cases) == ["001", "002", "003", "004", "005"]


async def test_case_is_seen_by_those_who_may_see_all_of_its_cameras(office: Office, footage: Footage) -> None:
    everywhere = await keeper_of_cases(office)
    north = await keeper_of_cases(office, NewGrant(role="exporter", site_id=NORTH))
    case = await opened(everywhere, office)
    path = f"/v1/cases/{case['case_id']}"
    assert (await north.get(path)).status_code == 404  # it names no camera yet, and may be about any
    assert (await everywhere.post(f"{path}/holds", json=hold_of(footage))).status_code == 201
    assert (await north.get(path)).status_code == 200
    assert (await everywhere.post(f"{path}/holds", json=hold_of(footage, SOUTH_CAMERA))).status_code == 201
    assert (await north.get(path)).status_code == 404
    assert (await north.get("/v1/cases")).json() == []
    assert (await north.post(f"{path}/end")).status_code == 404
    mine = await opened(north, office)
    refused = await north.post(f"/v1/cases/{mine['case_id']}/holds", json=hold_of(footage, SOUTH_CAMERA))
    assert refused.status_code == 404
    for role in ("viewer", "auditor"):
        client = await office.signed_in(role)
        if role == "viewer":
            await client.state_purpose()
        assert (await client.get("/v1/cases")).status_code in (403, 404)


async def test_bad_requests_about_cases_are_refused_with_a_reason(office: Office, footage: Footage) -> None:
    client = await keeper_of_cases(office)
    now_ns = office.clock.now_ns
    for review_ns in (now_ns - NS, now_ns + 400 * DAY_NS):
        body = {"title": "x", "reason": "y", "review": to_iso(review_ns)}
        assert (await client.post("/v1/cases", json=body)).headers["Tallenne-Problem"] == "review-date"
    blank = {"title": " ", "reason": "y", "review": to_iso(now_ns + DAY_NS)}
    assert (await client.post("/v1/cases", json=blank)).status_code == 422
    case = await opened(client, office)
    path = f"/v1/cases/{case['case_id']}"
    assert (await client.post(f"{path}/entries", json={"note": " "})).headers["Tallenne-Problem"] == "empty-note"
    assert (await client.post(f"{path}/entries", json={"camera_id": str(LOBBY)})).status_code == 422
    backwards = {**hold_of(footage), "end": to_iso(footage.span.start_ns - NS)}
    assert (await client.post(f"{path}/holds", json=backwards)).status_code == 422
    long = {**hold_of(footage), "start": to_iso(footage.span.end_ns - DAY_NS - NS)}
    assert (await client.post(f"{path}/holds", json=long)).status_code == 422
    office.clock.forward(400)  # the code that was given at sign-in has become too old
    assert (await client.post(f"{path}/holds", json=hold_of(footage))).headers["Tallenne-Problem"] == "step-up-needed"


async def test_case_without_footage_yet_is_of_the_cameras_of_who_opened_it(office: Office, footage: Footage) -> None:
    """Its title and reason say what happened where, before any camera is named."""
    north, south = (NewGrant(role="exporter", site_id=site) for site in (NORTH, SOUTH))
    anna = await keeper_of_cases(office, north)
    case = await opened(anna, office)
    path, review = f"/v1/cases/{case['case_id']}", to_iso(office.clock.now_ns + 9 * DAY_NS)
    lobby = NewGrant(role="exporter", site_id=NORTH, camera_id=LOBBY)
    for stranger in [await keeper_of_cases(office, grant) for grant in (south, lobby)]:
        assert (await stranger.get("/v1/cases")).json() == []
        for answer in (
            await stranger.get(path),
            await stranger.post(f"{path}/entries", json={"note": "x"}),
            await stranger.post(f"{path}/review", json={"review": review}),
            await stranger.post(f"{path}/end"),
        ):
            assert answer.status_code == 404
    for colleague in [await keeper_of_cases(office, *grants) for grants in ((north,), ("admin",), (north, south))]:
        assert [each["number"] for each in (await colleague.get("/v1/cases")).json()] == [case["number"]]
        assert (await colleague.get(path)).status_code == 200
    # Once a camera is named it decides alone; who has left the house leaves a case to those who may see everything.
    clip = {key: value for key, value in hold_of(footage).items() if key != "camera_ids"}
    await anna.post(f"{path}/entries", json={**clip, "camera_id": str(LOBBY)})
    of_lobby = await keeper_of_cases(office, lobby)
    assert (await of_lobby.get(path)).status_code == 200
    other = await opened(anna, office, "Toinen")
    await office.owner.execute("DELETE FROM staff_grant WHERE site_id = $1 AND camera_id IS NULL", NORTH)
    again = await keeper_of_cases(office, north)
    assert (await again.get(f"/v1/cases/{other['case_id']}")).status_code == 404
    assert (await (await keeper_of_cases(office)).get(f"/v1/cases/{other['case_id']}")).status_code == 200


async def test_notes_and_clips_are_kept_in_order_with_who_added_them(office: Office, footage: Footage) -> None:
    client = await keeper_of_cases(office)
    case = await opened(client, office)
    path = f"/v1/cases/{case['case_id']}"
    await client.post(f"{path}/entries", json={"note": "Soitettu <b>Ainolle</b>."})
    clip = {key: value for key, value in hold_of(footage).items() if key != "camera_ids"}
    added = await client.post(f"{path}/entries", json={**clip, "camera_id": str(LOBBY), "note": "Tässä."})
    entries = added.json()["entries"]
    assert [(each["kind"], each["note"], each["camera"]) for each in entries] == [
        ("note", "Soitettu <b>Ainolle</b>.", None),
        ("clip", "Tässä.", "Lobby"),
    ]
    later = to_iso(office.clock.now_ns + 60 * DAY_NS)
    assert (await client.post(f"{path}/review", json={"review": later})).json()["review"] == later


async def test_restricted_footage_is_neither_shown_nor_exported_and_the_reason_is_said(
    office: Office, footage: Footage
) -> None:
    anna, berit = await keeper_of_cases(office), await keeper_of_cases(office)
    span = {"start": to_iso(footage.span.start_ns), "end": to_iso(footage.span.end_ns)}
    clip = f"/v1/cameras/{LOBBY}/clip.mp4"
    assert (await anna.get(clip, params=span, headers=PART)).status_code == 206  # and now it is in the cache
    exported = await anna.post("/v1/exports", json={"camera_ids": [str(LOBBY)], **span})
    await look_at(berit, exported.json())
    case = await opened(anna, office, "Rajoituspyyntö 18 art.")
    path = f"/v1/cases/{case['case_id']}"
    assert (await anna.post(f"{path}/holds", json=hold_of(footage, kind="restriction"))).status_code == 201
    refused = await anna.get(clip, params=span, headers=PART)
    assert (refused.status_code, refused.headers["Tallenne-Problem"]) == (403, "restricted")
    assert case["number"] in refused.json()["title"]
    assert "Vakuutusyhtiö kysyy." in refused.json()["title"]
    other = await anna.get(f"/v1/cameras/{CORRIDOR}/clip.mp4", params=span, headers=PART)
    assert other.status_code == 206
    export = f"/v1/exports/{exported.json()['export_id']}"
    assert (await berit.post(f"{export}/approve", json={})).status_code == 200
    await anna.post(f"{export}/prepare")
    found = await prepared(anna, export)
    assert (found["state"], found["problem"]) == ("failed", "restricted")
    await anna.post(f"{path}/end")
    await berit.post(f"{path}/confirm-end")
    assert (await anna.get(clip, params=span, headers=PART)).status_code == 206

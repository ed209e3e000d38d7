"""Searching and looking: found, cut to the scope, and on record."""

from __future__ import annotations

import json
from typing import Any

import pytest

from api.credentials.accounts import NewGrant
from domain.time import NS, from_iso, to_iso
from tests.integration.api.conftest import Office
from tests.integration.api.gym import (
    CORRIDOR,
    LOBBY,
    NORTH,
    SIDE,
    SOUTH,
    SOUTH_CAMERA,
    Gym,
    open_gym,
)
from tests.support.api.looks import looking, span

pytestmark = pytest.mark.services
PART = {"Range": "bytes=0-"}


@pytest.fixture
async def gym(office: Office) -> Gym:
    return await open_gym(office.owner, office.clock.now_ns)


async def last_entry(office: Office) -> dict[str, Any]:
    return dict((await office.audit())[-1])


async def test_search_without_purpose_refused(office: Office, gym: Gym) -> None:
    client = await office.signed_in("viewer")
    for path in ("/v1/members?query=aino", "/v1/find?query=aino", f"/v1/events/{gym.granted}"):
        answer = await client.get(path)
        assert (answer.status_code, answer.json()["type"]) == (403, "urn:tallenne:purpose-needed")
        assert answer.json()["remedy"]


async def test_members_found_and_on_record_without_their_name(office: Office, gym: Gym) -> None:
    client = await looking(office, "viewer")
    found = (await client.get("/v1/members", params={"query": "virta"})).json()
    assert [(each["number"], each["name"]) for each in found] == [("1042", "Aino Virtanen")]
    entry = await last_entry(office)
    assert (entry["action"], entry["member_id"], str(entry["purpose_id"])) == (
        "search_members",
        gym.aino,
        client.purpose,
    )
    text = " ".join(str(row) for row in await office.audit())
    assert "Virtanen" not in text
    assert "virta" not in text


async def test_members_of_another_site_not_found(office: Office, gym: Gym) -> None:
    client = await looking(office, NewGrant(role="viewer", site_id=NORTH))
    assert (await client.get("/v1/members", params={"query": "onni"})).json() == []
    assert (await client.get(f"/v1/members/{gym.onni}/visits", params=span(gym))).status_code == 404
    assert (await client.get(f"/v1/events/{gym.south}")).status_code == 404
    assert (await client.get("/v1/events", params={**span(gym), "site": str(SOUTH)})).status_code == 404
    assert (await client.get(f"/v1/cameras/{SOUTH_CAMERA}/timeline", params=span(gym))).status_code == 404
    assert {each["name"] for each in (await client.get("/v1/cameras")).json()} == {"Lobby", "Corridor"}
    assert {each["name"] for each in (await client.get("/v1/doors")).json()} == {"Front door", "Side door"}
    assert {each["name"] for each in (await client.get("/v1/sites")).json()} == {"North"}


async def test_visits_from_entry_to_exit(office: Office, gym: Gym) -> None:
    client = await looking(office, "viewer")
    found = (await client.get(f"/v1/members/{gym.aino}/visits", params=span(gym))).json()
    assert [(each["start"], each["end"], each["first_event"]) for each in found] == [
        (to_iso(gym.now_ns - 3600 * NS), to_iso(gym.now_ns - 600 * NS), str(gym.granted))
    ]


async def test_events_page_by_page(office: Office, gym: Gym) -> None:
    client = await looking(office, "viewer")
    seen: list[str] = []
    cursor: str | None = None
    for _ in range(9):
        params = {**span(gym), "limit": "2", "site": str(NORTH), **({"cursor": cursor} if cursor else {})}
        page = (await client.get("/v1/events", params=params)).json()
        seen += [each["kind"] for each in page["events"]]
        cursor = page["next"]
        if cursor is None:
            break
    assert seen == ["exit", "denied", "entered", "granted"]
    assert (await client.get("/v1/events", params={**span(gym), "cursor": "AAAA"})).status_code == 422


async def test_event_beside_another_of_the_same_door_kind_or_member(office: Office, gym: Gym) -> None:
    others = {
        at_s: await gym.event(kind, gym.now_ns - at_s * NS, member=member, **more)
        for at_s, kind, member, more in (
            (3500, "granted", gym.onni, {}),
            (3400, "granted", gym.onni, {"door": SIDE}),
            (3300, "denied", gym.aino, {"door": SIDE}),
            (3200, "granted", None, {}),
        )
    }
    client = await looking(office, NewGrant(role="viewer", site_id=NORTH))

    async def beside(event: Any, same: str, later: str = "true") -> Any:
        answer = await client.get(f"/v1/events/{event}/beside", params={"same": same, "later": later})
        assert answer.status_code == 200, answer.text
        found = answer.json()["event"]
        return found and found["event_id"]

    assert await beside(others[3500], "door") == str(others[3200])
    assert await beside(others[3500], "kind") == str(others[3400])
    assert await beside(others[3200], "kind", "false") == str(others[3400])
    assert await beside(others[3400], "member", "false") == str(others[3500])
    assert json.loads((await last_entry(office))["detail"])["members"] == [str(gym.onni)]
    assert await beside(gym.granted, "door", "false") is None
    assert await beside(others[3200], "member") is None  # an event without a member
    last = await last_entry(office)
    assert (last["action"], json.loads(last["detail"])["members"]) == ("visit", [])
    # Onni's next passage is at another site, which this person may not see.
    assert await beside(others[3400], "member") is None
    assert (await client.get(f"/v1/events/{gym.south}/beside?same=door&later=true")).status_code == 404
    assert (await client.get(f"/v1/events/{gym.granted}/beside?same=name&later=true")).status_code == 422


async def test_days_of_a_month_say_where_footage_and_events_are(office: Office, gym: Gym) -> None:
    client = await office.signed_in(NewGrant(role="viewer", site_id=NORTH))
    first = from_iso("2026-03-29T00:30:00+02:00")  # the day on which the clocks change, in the first hour
    await gym.event("granted", first)
    await gym.event("granted", first + 22 * 3600 * NS)
    await gym.event("granted", first + 23 * 3600 * NS)  # this is the next day already
    found = (await client.get(f"/v1/cameras/{LOBBY}/days?month=2026-03")).json()
    assert len(found["days"]) == 31
    days = {each["day"]: each for each in found["days"] if each["events"]}
    assert {day: each["events"] for day, each in days.items()} == {"2026-03-29": 2, "2026-03-30": 1}
    assert not any(each["footage"] for each in found["days"])
    assert (await client.get(f"/v1/cameras/{SOUTH_CAMERA}/days?month=2026-03")).status_code == 404
    for month in ("2026-13", "2026-3", "26-03", "2026-03-01"):
        assert (await client.get(f"/v1/cameras/{LOBBY}/days?month={month}")).status_code == 422


async def test_visit_shows_cameras_gaps_and_who_else(office: Office, gym: Gym) -> None:
    await gym.event("granted", gym.now_ns - 3590 * NS, member=gym.onni)
    client = await looking(office, "viewer")
    found = (await client.get(f"/v1/events/{gym.granted}")).json()
    assert [camera["name"] for camera in found["cameras"]] == ["Corridor", "Lobby"] or [
        camera["name"] for camera in found["cameras"]
    ] == ["Lobby", "Corridor"]
    lobby = next(camera for camera in found["cameras"] if camera["name"] == "Lobby")
    assert lobby["start"] == to_iso(gym.now_ns - 3605 * NS)
    assert [gap["cause"] for gap in lobby["gaps"]] == ["before", "unreachable", "unknown"]
    assert client.purpose in lobby["clip"]
    assert [(each["kind"], each["member"]["name"]) for each in found["around"]] == [
        ("granted", "Aino Virtanen"),
        ("entered", "Aino Virtanen"),
        ("granted", "Onni Järvi <b>"),
    ]
    entry = await last_entry(office)
    assert entry["action"] == "visit"
    assert json.loads(entry["detail"])["members"] == sorted([str(gym.aino), str(gym.onni)])


async def test_one_camera_grant_shows_only_that_camera(office: Office, gym: Gym) -> None:
    client = await looking(office, NewGrant(role="viewer", camera_id=LOBBY))
    found = (await client.get(f"/v1/events/{gym.granted}")).json()
    assert [camera["name"] for camera in found["cameras"]] == ["Lobby"]
    assert found["visit"] is None
    assert (await client.get(f"/v1/cameras/{CORRIDOR}/timeline", params=span(gym))).status_code == 404
    kinds = [each["kind"] for each in (await client.get("/v1/events", params=span(gym))).json()["events"]]
    assert kinds == ["exit", "entered", "granted"]


async def test_timeline_says_what_is_missing(office: Office, gym: Gym) -> None:
    client = await looking(office, "viewer")
    found = (await client.get(f"/v1/cameras/{LOBBY}/timeline", params=span(gym))).json()
    assert found["footage"] == []
    assert [gap["cause"] for gap in found["gaps"]] == ["before", "unreachable", "unknown", "pending"]
    assert [each["kind"] for each in found["events"]] == ["granted", "entered", "exit"]
    assert (await last_entry(office))["camera_id"] == LOBBY


async def test_timeline_with_too_many_events_gives_the_nearest_and_says_so(
    office: Office, gym: Gym, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("api.search.timeline.EVENTS_MAX", 3)
    client = await looking(office, "viewer")
    base_ns = gym.now_ns // NS * NS - 86_400 * NS
    times = [base_ns + minute * 60 * NS for minute in (0, 1, 2, 3, 4, 10)]
    for at_ns in times:
        await gym.event("granted", at_ns)
    path = f"/v1/cameras/{LOBBY}/timeline"
    whole = {"start": to_iso(base_ns - NS), "end": to_iso(base_ns + 1200 * NS)}

    async def around(minute: float | None) -> tuple[list[int], bool, float, float]:
        more = {} if minute is None else {"around": to_iso(base_ns + round(minute * 60 * NS))}
        found = (await client.get(path, params=whole | more)).json()
        minutes = [(from_iso(event["occurred"]) - base_ns) // (60 * NS) for event in found["events"]]
        start, end = ((from_iso(found[f"events_{name}"]) - base_ns) / (60 * NS) for name in ("start", "end"))
        return minutes, found["events_cut"], round(start, 1), round(end, 1)

    assert await around(None) == ([0, 1, 2], True, -0.0, 3.0)
    assert await around(2.1) == ([1, 2, 3], True, 0.0, 4.0)
    assert await around(9) == ([3, 4, 10], True, 2.0, 20.0)
    assert await around(100) == ([3, 4, 10], True, 2.0, 20.0)
    monkeypatch.setattr("api.search.timeline.EVENTS_MAX", 6)
    assert await around(2) == ([0, 1, 2, 3, 4, 10], False, -0.0, 20.0)


async def test_times_with_offset_only(office: Office, gym: Gym) -> None:
    client = await looking(office, "viewer")
    path = f"/v1/cameras/{LOBBY}/timeline"
    answer = await client.get(f"{path}?start=2026-11-22T08:00:00+02:00&end=2026-11-22T09:00:00%2B02:00")
    assert answer.json()["start"] == "2026-11-22T06:00:00.000Z"
    wrong = [
        ("2026-11-22T08:00:00", "2026-11-22T09:00:00Z"),
        ("2026-11-22T09:00:00Z", "2026-11-22T09:00:00Z"),
        ("9999-12-31T23:59:59Z", "9999-12-31T23:59:59Z"),
        ("2026-11-01T00:00:00Z", "2026-11-22T09:00:00Z"),
        ("", "x"),
    ]
    for start, end in wrong:
        answer = await client.get(path, params={"start": start, "end": end})
        assert answer.status_code == 422, (start, end)
        assert answer.headers["content-type"] == "application/problem+json"


async def test_clip_without_footage_and_without_rights(office: Office, gym: Gym) -> None:
    client = await looking(office, "viewer")
    params = {**span(gym, hours=1), "purpose": client.purpose}
    answer = await client.get(f"/v1/cameras/{LOBBY}/clip.mp4", params=params, headers=PART)
    assert (answer.status_code, answer.json()["type"]) == (404, "urn:tallenne:no-footage")
    exporter = await looking(office, NewGrant(role="exporter", site_id=NORTH))
    params["purpose"] = exporter.purpose
    answer = await exporter.get(f"/v1/cameras/{SOUTH_CAMERA}/clip.mp4", params=params, headers=PART)
    assert answer.json()["type"] == "urn:tallenne:not-found"


async def test_clip_custodian_away_503(office: Office, gym: Gym) -> None:
    client = await looking(office, "viewer")
    await add_segment(office, gym)
    params = {**span(gym, hours=1), "purpose": client.purpose}
    answer = await client.get(f"/v1/cameras/{LOBBY}/clip.mp4", params=params, headers=PART)
    assert (answer.status_code, answer.json()["type"]) == (503, "urn:tallenne:away")
    assert "custodian.sock" not in answer.text
    assert answer.headers["retry-after"]


async def add_segment(office: Office, gym: Gym) -> None:
    start_ns = gym.now_ns - 1800 * NS
    await office.owner.execute("SELECT ensure_segment_day($1)", start_ns)
    await office.owner.execute(
        "INSERT INTO segment (segment_id, site_id, camera_id, recorder_id, hour_key_id, start_ns, end_ns, size_bytes,"
        " sha256, header, codec, mime, width, height, init_size, frames, recovered, committed_ns)"
        " VALUES (gen_random_uuid(), $1, $2, gen_random_uuid(), gen_random_uuid(), $3, $4, 5000,"
        " decode(repeat('00', 32), 'hex'), decode(repeat('00', 210), 'hex'), 'h264', 'avc1.64001f', 640, 360, 700,"
        " 250, false, $3)",
        NORTH,
        LOBBY,
        start_ns,
        start_ns + 10 * NS,
    )

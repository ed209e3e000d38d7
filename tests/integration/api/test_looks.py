"""Searching and looking: found, cut to the scope, and on record."""

from __future__ import annotations

import json
import logging
import os
import re
import time
import uuid
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families

from api.credentials.accounts import NewGrant
from domain.ids import CameraId, MemberId
from domain.time import HOUR_NS, NS, from_iso, to_iso
from ingest.health import Health
from storage.access import fold
from storage.catalogue.camera_health import save_health
from tests.integration.api.conftest import Client, Office
from tests.integration.api.gym import (
    CORRIDOR,
    FRONT,
    LOBBY,
    NORTH,
    SIDE,
    SOUTH,
    SOUTH_CAMERA,
    SOUTH_DOOR,
    Gym,
    open_gym,
)

pytestmark = pytest.mark.services


@pytest.fixture
async def gym(office: Office) -> Gym:
    return await open_gym(office.owner, office.clock.now_ns)


def span(gym: Gym, *, hours: int = 2) -> dict[str, str]:
    return {"start": to_iso(gym.now_ns - hours * HOUR_NS), "end": to_iso(gym.now_ns)}


async def looking(office: Office, *grants: NewGrant | str) -> Client:
    client = await office.signed_in(*grants)
    await client.state_purpose()
    return client


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


@pytest.mark.parametrize(
    ("query", "kinds"),
    [
        ("virtanen", [["exit"], ["denied"], ["granted", "entered"]]),
        ("1042 last 29 minutes", [["exit"]]),
        ("side door", [["denied"]]),
        ("last 45 min", [["exit"], ["granted"], ["denied"]]),
        ("pääovi onni", [["granted"]]),
        ("paaovi aino", []),
        ("nobody at all", []),
        ("", []),
        ("who let a second person in at the side door?", [["denied"]]),
        ("kuka päästi toisen henkilön sisään viimeiset 45 min", [["exit"], ["granted"], ["denied"]]),
        ("did virtanen come in through the front door", [["exit"], ["granted", "entered"]]),
        ("who did it", []),
        ("virtanen?", [["exit"], ["denied"], ["granted", "entered"]]),
        ("did zacharias come in last 45 min", []),
    ],
)
async def test_find_by_name_number_door_and_time(office: Office, gym: Gym, query: str, kinds: list[list[str]]) -> None:
    client = await looking(office, "viewer")
    found = (await client.get("/v1/find", params={"query": query})).json()
    assert [hit["kinds"] for hit in found["hits"]] == kinds
    assert (await last_entry(office))["action"] == "find"


async def test_every_example_finds_something(office: Office, gym: Gym) -> None:
    client = await looking(office, "viewer")
    given = ["last 30 minutes", "yesterday 18-19", "monday morning", "viimeiset 45 min", "aino", "front door"]
    before = await last_entry(office)
    said = (await client.get("/v1/find/examples", params={"query": given})).json()["examples"]
    assert await last_entry(office) == before  # they tell of nobody
    assert len(said) == 4 and "aino" not in said and "front door" not in said
    assert re.fullmatch(r"\d\d:\d\d", said[0]) and re.fullmatch(r"Front door \d+-\d+", said[1])
    for text in said:
        assert (await client.get("/v1/find", params={"query": text})).json()["hits"], text
    south = await looking(office, NewGrant(role="viewer", site_id=SOUTH))
    said = (await south.get("/v1/find/examples", params={"query": given})).json()["examples"]
    assert said[1].startswith("Pääovi ")
    await gym.owner.execute("DELETE FROM access_event")
    assert (await client.get("/v1/find/examples", params={"query": given})).json() == {"examples": []}


async def test_a_clock_time_is_each_sites_own(office: Office, gym: Gym) -> None:
    await office.owner.execute("UPDATE site SET time_zone = 'Europe/Stockholm' WHERE site_id = $1", SOUTH)
    noon_ns = from_iso("2026-11-20T12:00:00+02:00")  # in Helsinki; an hour later it is noon in Stockholm
    times = {NORTH: noon_ns, SOUTH: noon_ns + HOUR_NS}
    events = {
        await gym.event("granted", times[site] + later, site=site, door=door)
        for site, door in ((NORTH, FRONT), (SOUTH, SOUTH_DOOR))
        for later in (5 * NS, HOUR_NS + 5 * NS)
    }
    client = await looking(office, "viewer")
    found = (await client.get("/v1/find", params={"query": "20.11.2026 12:00"})).json()
    assert {hit["site"]: from_iso(hit["occurred"]) - 5 * NS for hit in found["hits"]} == {
        "North": times[NORTH],
        "South": times[SOUTH],
    }
    assert len(found["hits"]) == 2 < len(events)
    entry = await last_entry(office)
    assert (entry["start_ns"], entry["end_ns"]) == (times[NORTH], times[SOUTH] + 60 * NS)  # all that was looked at


async def test_others_members_do_not_crowd_out_those_one_may_see(office: Office, gym: Gym) -> None:
    for number in range(30):
        member = MemberId(uuid.uuid4())
        await gym.owner.execute("INSERT INTO member VALUES ($1, 0)", member)
        name = "Aaltonen Ville" if number == 29 else f"Aaltonen {number:02}"
        await gym.owner.execute(
            "INSERT INTO member_identity (member_id, number, name, search) VALUES ($1, $2, $3, $4)",
            member, f"A{number}", name, fold(name),
        )  # fmt: skip
        site, door = (SOUTH, SOUTH_DOOR) if number == 29 else (NORTH, FRONT)
        await gym.event("granted", gym.now_ns - 900 * NS, site=site, door=door, member=member)
    client = await looking(office, NewGrant(role="viewer", site_id=SOUTH))
    found = (await client.get("/v1/find", params={"query": "aaltonen"})).json()
    assert ([each["name"] for each in found["members"]], len(found["hits"]), found["more"]) == (
        ["Aaltonen Ville"],
        1,
        False,
    )
    assert [each["number"] for each in (await client.get("/v1/members", params={"query": "aaltonen"})).json()] == [
        "A29"
    ]
    everywhere = await looking(office, "viewer")
    found = (await everywhere.get("/v1/find", params={"query": "aaltonen"})).json()
    assert (len(found["members"]), found["more"]) == (16, True)


@pytest.mark.parametrize(
    ("query", "doors", "members"),
    [
        ("pääovesta viimeiset 3 tuntia", ["Pääovi"], []),
        ("kuka tuli pääovella viimeiset 3 tuntia?", ["Pääovi"], []),
        ("side last 3 hours", ["Side door"], []),
        ("fro", ["Front door"], []),
        ("sid", [], ["Sidney Salo"]),  # no whole word of a door's name
    ],
)
async def test_doors_bent_and_begun(office: Office, gym: Gym, query: str, doors: list[str], members: list[str]) -> None:
    member = MemberId(uuid.uuid4())
    await gym.owner.execute("INSERT INTO member VALUES ($1, 0)", member)
    await gym.owner.execute(
        "INSERT INTO member_identity (member_id, number, name, search) VALUES ($1, '5006', $2, $3)",
        member, "Sidney Salo", "sidney salo",
    )  # fmt: skip
    client = await looking(office, "viewer")
    found = (await client.get("/v1/find", params={"query": query})).json()
    assert (found["understood"]["doors"], [each["name"] for each in found["members"]]) == (doors, members)


async def test_what_others_doors_report_does_not_crowd_out_ones_own(office: Office, gym: Gym) -> None:
    for second in range(5):
        await gym.event("denied", gym.now_ns - second * 60 * NS, door=SIDE)
    client = await looking(office, NewGrant(role="viewer", camera_id=LOBBY))
    found = (await client.get("/v1/find", params={"query": "last 3 hours", "limit": 2})).json()
    assert [hit["door"] for hit in found["hits"]] == ["Front door"] * 2 and found["more"]
    page = (await client.get("/v1/events", params={**span(gym), "limit": 2})).json()
    assert [event["door"] for event in page["events"]] == ["Front door"] * 2 and page["next"]


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
    answer = await client.get(f"/v1/cameras/{LOBBY}/clip.mp4", params=params)
    assert (answer.status_code, answer.json()["type"]) == (404, "urn:tallenne:no-footage")
    exporter = await looking(office, NewGrant(role="exporter", site_id=NORTH))
    params["purpose"] = exporter.purpose
    answer = await exporter.get(f"/v1/cameras/{SOUTH_CAMERA}/clip.mp4", params=params)
    assert answer.json()["type"] == "urn:tallenne:not-found"


async def test_clip_custodian_away_503(office: Office, gym: Gym) -> None:
    client = await looking(office, "viewer")
    await add_segment(office, gym)
    answer = await client.get(f"/v1/cameras/{LOBBY}/clip.mp4", params={**span(gym, hours=1), "purpose": client.purpose})
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


async def test_audit_read_by_auditors_and_itself_on_record(office: Office, gym: Gym) -> None:
    client = await looking(office, "viewer")
    await client.get("/v1/members", params={"query": "1042"})
    assert (await client.get("/v1/audit")).status_code == 404
    auditor = await office.signed_in("auditor")
    page = (await auditor.get("/v1/audit", params={"member": str(gym.aino)})).json()
    assert [(each["action"], each["purpose"], each["member_number"]) for each in page["entries"]] == [
        ("search_members", "incident", "1042")
    ]
    page = (await auditor.get("/v1/audit", params={"limit": 2})).json()
    assert page["entries"][0]["action"] == "audit_read"
    older = (await auditor.get("/v1/audit", params={"limit": 2, "before": page["next"]})).json()
    assert older["entries"][0]["seq"] == page["next"] - 1
    narrow = await office.signed_in(NewGrant(role="auditor", site_id=NORTH))
    await client.get(f"/v1/cameras/{SOUTH_CAMERA}/timeline", params=span(gym))
    await client.get(f"/v1/cameras/{LOBBY}/timeline", params=span(gym))
    page = (await narrow.get("/v1/audit")).json()
    assert {each["camera"] for each in page["entries"]} == {"Lobby"}


async def test_audit_names_what_its_details_are_about(office: Office, gym: Gym) -> None:
    admin = await office.signed_in("admin")
    auditor = await office.signed_in("auditor")
    name, _ = await office.hire("viewer")
    (found,) = [each for each in (await admin.get("/v1/staff")).json() if each["user_name"] == name]
    hired, named = found["staff_id"], found["display_name"]
    grants = [{"role": "viewer", "site_id": str(NORTH)}, {"role": "exporter", "camera_id": str(SOUTH_CAMERA)}]
    assert (await admin.put(f"/v1/staff/{hired}/grants", json={"grants": grants})).status_code == 200
    page = (await auditor.get("/v1/audit", params={"action": "staff_grants"})).json()
    (entry,) = page["entries"]
    assert entry["detail"]["staff_id"] == hired
    assert page["names"] == {hired: named, str(NORTH): "North", str(SOUTH_CAMERA): "Aula"}


async def test_health_says_a_word_to_all_parts_to_staff_and_roles_to_administrators(office: Office) -> None:
    (office.rooms.parts.run_directory / "index-0.json").write_text(
        json.dumps({"role": "index", "instance": "0", "state": "ready", "updated_ns": 1, "problems": []})
    )
    answer = await office.client().get("/v1/health")
    assert (answer.status_code, answer.json()["state"], set(answer.json())) == (503, "degraded", {"state", "now"})
    assert (await office.client().get("/v1/health/parts")).status_code == 401
    answer = (await (await office.signed_in("viewer")).get("/v1/health/parts")).json()
    assert (answer["state"], answer["parts"]["database"], answer["parts"]["custodian"]) == ("degraded", True, False)
    assert answer["roles"] is None
    seen = (await (await office.signed_in("admin")).get("/v1/health/parts")).json()["roles"]
    assert [(each["role"], each["state"]) for each in seen] == [("index", "ready")]


async def test_metrics_behind_their_token(office: Office, gym: Gym) -> None:
    client = await looking(office, "viewer")
    await client.get(f"/v1/events/{gym.granted}")
    assert (await client.get("/metrics")).status_code == 401
    answer = await client.get("/metrics", headers={"Authorization": "Bearer metrics-for-the-test"})
    assert 'route="/v1/events/{event_id}"' in answer.text
    assert str(gym.granted) not in answer.text


async def test_metrics_tell_each_cameras_health(office: Office, gym: Gym) -> None:
    """What ingest saves is what is told: every figure of Health, by the ingest role's own report."""
    cameras = await gym.owner.fetch("SELECT camera_id, name FROM camera WHERE removed_ns IS NULL ORDER BY camera_id")
    health = Health(
        "any", state="refused", frames=7, lost_packets=3, losses=2, last_error='says "no"', skew_ns=1_500_000_000
    )
    report = health.report(1, 10, 4, 5, 10)
    await save_health(gym.owner, {CameraId(cameras[0]["camera_id"]): report}, time.time_ns())
    answer = await office.client().get("/metrics", headers={"Authorization": "Bearer metrics-for-the-test"})
    families = {family.name: family for family in text_string_to_metric_families(answer.text)}
    told = {
        name.removeprefix("tallenne_camera_"): sample
        for name, family in families.items()
        for sample in family.samples
        if sample.labels.get("camera_id") == str(cameras[0]["camera_id"])
    }
    wanted = {"lost_packets": 3, "losses": 2, "frames": 7, "segments": 4, "gaps": 5, "skew_seconds": 1.5}
    assert {key: told[key].value for key in wanted} == wanted
    assert told["state"].labels["state"] == "refused"
    assert told["error"].labels["error"] == 'says "no"'
    assert {"bits_per_second", "frames_per_second", "clock_jumps", "connections", "forced_cuts"} <= told.keys()
    states = {sample.labels["camera"]: sample.labels["state"] for sample in families["tallenne_camera_state"].samples}
    assert set(states) == {row["name"] for row in cameras}


async def test_metrics_tell_the_numbers_of_the_roles_and_no_word(office: Office) -> None:
    """Lag and counters of the indexer; what a problem says stays with `tallenne status`."""
    said = {"role": "index", "instance": "0", "pid": os.getpid(), "state": "degraded", "updated_ns": 5_500_000_000}
    said |= {"problems": [{"what": "Door Backyard", "remedy": "x"}], "committed": 12, "outbox_oldest_s": 0.25}
    said |= {"subscribed": True, "odd name": 1, "cameras": {"Backyard": 1}}
    (office.rooms.parts.run_directory / "index-0.json").write_text(json.dumps(said))
    (office.rooms.parts.run_directory / "broken-0.json").write_text("{")
    client = office.client()
    answer = await client.get("/metrics", headers={"Authorization": "Bearer metrics-for-the-test"})
    lines = answer.text.splitlines()
    assert 'tallenne_index_committed{instance="0"} 12.0' in lines
    assert 'tallenne_index_outbox_oldest_s{instance="0"} 0.25' in lines
    assert 'tallenne_index_subscribed{instance="0"} 1.0' in lines
    assert 'tallenne_role_ready{instance="0",role="index"} 0.0' in lines
    assert 'tallenne_role_problems{instance="0",role="index"} 1.0' in lines
    assert 'tallenne_role_updated_seconds{instance="0",role="index"} 5.5' in lines
    assert "Backyard" not in answer.text and "odd" not in answer.text and "pid" not in answer.text


async def test_front_door_is_known(gym: Gym) -> None:
    assert await gym.owner.fetchval("SELECT name FROM door WHERE door_id = $1", FRONT) == "Front door"


async def test_metrics_and_logs_name_nobody(office: Office, gym: Gym, caplog: pytest.LogCaptureFixture) -> None:
    """Invariant 8. Control: what is looked for is in the answers themselves."""
    caplog.set_level(logging.DEBUG)
    client = await looking(office, "viewer")
    answers = [
        await client.get("/v1/members", params={"query": "virta"}),
        await client.get("/v1/find", params={"query": "aino"} | span(gym)),
        await client.get(f"/v1/events/{gym.granted}"),
        await client.get("/v1/members", params={"query": "x" * 500}),
    ]
    metrics = await client.get("/metrics", headers={"Authorization": "Bearer metrics-for-the-test"})
    users = [row["user_name"] for row in await office.owner.fetch("SELECT user_name FROM staff")]
    words = ["virta", "aino", "1042", str(gym.aino), *users]
    assert {"virta", "aino", "1042"} <= {word for word in words if word in answers[0].text.lower()}
    told = metrics.text.lower() + _logged(caplog)
    assert "tallenne" in metrics.text
    assert [word for word in words if word.lower() in told] == []


def _logged(caplog: pytest.LogCaptureFixture) -> str:
    """Of ours: the client in this process logs the addresses that it asks for, as a browser's history has them."""
    return "\n".join(
        record.getMessage() for record in caplog.records if not record.name.startswith(("httpx", "httpcore", "asyncio"))
    ).lower()

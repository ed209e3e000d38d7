"""Find: by words and filters, page by page, cut to the scope and on record."""

from __future__ import annotations

import re
import uuid
from typing import Any

import pytest

from api.credentials.accounts import NewGrant
from domain.ids import MemberId
from domain.time import HOUR_NS, NS, from_iso
from storage.access import fold
from tests.integration.api.conftest import Office
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
from tests.support.api.looks import looking, span

pytestmark = pytest.mark.services


@pytest.fixture
async def gym(office: Office) -> Gym:
    return await open_gym(office.owner, office.clock.now_ns)


async def last_entry(office: Office) -> dict[str, Any]:
    return dict((await office.audit())[-1])


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
        ("", [["exit"], ["granted"], ["denied"], ["granted", "entered"]]),
        ("evätyt", [["denied"]]),
        ("held open", []),
        ("show denied cards of virtanen", [["denied"]]),
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


async def test_find_page_by_page_gives_each_passage_once(office: Office, gym: Gym) -> None:
    for number in range(12):
        await gym.event("granted", gym.now_ns - (500 + 9 * number) * NS, member=gym.onni)
        await gym.event("entered", gym.now_ns - (498 + 9 * number) * NS, member=gym.onni)
    client = await looking(office, "viewer")
    whole = (await client.get("/v1/find")).json()
    assert len(whole["hits"]) == 16 and whole["next"] is None
    hits: list[dict[str, Any]] = []
    params: dict[str, Any] = {"limit": 5}
    for _ in range(20):
        page = (await client.get("/v1/find", params=params)).json()
        hits += page["hits"]
        params["cursor"] = page["next"]
        if page["next"] is None:
            break
        # What happens meanwhile shifts nothing.
        await gym.event("denied", office.clock.now_ns)
        office.clock.forward(1)
    assert hits == whole["hits"]
    assert (await last_entry(office))["action"] == "find"
    assert (await client.get("/v1/find", params={"cursor": "AAAA.7"})).status_code == 422


async def test_find_is_filtered_by_kind_door_camera_site_and_minors(office: Office, gym: Gym) -> None:
    await gym.owner.execute("UPDATE member SET minor = true WHERE member_id = $1", gym.onni)
    held = await gym.event("held_open", gym.now_ns - 100 * NS, door=SIDE)
    close = await gym.event("granted", gym.now_ns - 1193 * NS - NS // 2, site=SOUTH, door=SOUTH_DOOR)
    client = await looking(office, "viewer")

    async def found(**params: Any) -> list[dict[str, Any]]:
        answer = (await client.get("/v1/find", params=params)).json()
        return list(answer["hits"])

    for params, kinds in (
        ({"kind": "held_open"}, ["held_open"]),
        ({"kind": ["held_open", "denied"]}, ["held_open", "denied"]),
        ({"kind": "denied", "query": "pidetty auki"}, ["held_open", "denied"]),
        ({"door": str(SIDE)}, ["held_open", "denied"]),
        ({"camera": str(CORRIDOR), "kind": "exit"}, ["exit"]),
        ({"camera": str(LOBBY), "kind": "denied"}, []),
        ({"site": str(SOUTH)}, ["granted", "granted"]),
        ({"minors": "true"}, ["granted"]),
        ({"query": "alaikäiset"}, ["granted"]),
        ({"minors": "true", "kind": "denied"}, []),
        ({"close": "true"}, ["granted"]),
        ({"member": str(gym.aino), "kind": ["denied", "exit"]}, ["exit", "denied"]),
        ({"query": "virtanen", "kind": "denied"}, ["denied"]),
    ):
        assert [hit["kinds"][0] for hit in await found(**params)] == kinds, params
    (second,) = await found(close="true")
    assert (second["event_id"], second["close_upon_s"]) == (str(close), 6.5)
    assert (await client.get("/v1/find/today")).status_code == 200
    assert str(held) == (await found(kind="held_open"))[0]["event_id"]
    north = await looking(office, NewGrant(role="viewer", site_id=NORTH))
    for hidden in ({"site": str(SOUTH)}, {"door": str(SOUTH_DOOR)}, {"camera": str(SOUTH_CAMERA)}):
        assert (await north.get("/v1/find", params=hidden)).status_code == 404


async def test_all_of_a_member_goes_back_further_and_only_for_those_who_may_see_them(office: Office, gym: Gym) -> None:
    long_ago = await gym.event("granted", gym.now_ns - 90 * 24 * HOUR_NS, member=gym.aino)
    client = await looking(office, "viewer")
    assert len((await client.get("/v1/find", params={"query": "virtanen"})).json()["hits"]) == 3
    found = (await client.get("/v1/find", params={"member": str(gym.aino)})).json()
    assert [hit["event_id"] for hit in found["hits"]][-1] == str(long_ago) and len(found["hits"]) == 4
    assert [each["number"] for each in found["members"]] == ["1042"]
    assert (await last_entry(office))["member_id"] == gym.aino
    south = await looking(office, NewGrant(role="viewer", site_id=SOUTH))
    for hidden in (gym.aino, uuid.uuid4()):
        assert (await south.get("/v1/find", params={"member": str(hidden)})).status_code == 404


async def test_what_is_wrong_today_is_counted_for_ones_own_doors_and_is_no_look(office: Office, gym: Gym) -> None:
    await gym.owner.execute("DELETE FROM access_event")
    noon_ns = from_iso("2026-11-20T12:00:00+02:00")
    office.clock.now_ns = noon_ns
    await gym.event("denied", noon_ns - 13 * HOUR_NS)  # yesterday
    for kind, ago_s, site, door in (
        ("denied", 60, NORTH, SIDE),
        ("denied", 50, SOUTH, SOUTH_DOOR),
        ("held_open", 40, NORTH, FRONT),
        ("granted", 30, NORTH, FRONT),
        ("granted", 21, NORTH, FRONT),
        ("granted", 8, NORTH, FRONT),
        ("granted", 7, NORTH, SIDE),
    ):
        await gym.event(kind, noon_ns - ago_s * NS, site=site, door=door)
    client = await looking(office, "viewer")
    before = await last_entry(office)
    assert (await client.get("/v1/find/today")).json() == {"denied": 2, "held_open": 1, "forced_open": 0, "close": 1}
    assert await last_entry(office) == before
    south = await looking(office, NewGrant(role="viewer", site_id=SOUTH))
    assert (await south.get("/v1/find/today")).json() == {"denied": 1, "held_open": 0, "forced_open": 0, "close": 0}


async def test_every_example_finds_something(office: Office, gym: Gym) -> None:
    client = await looking(office, "viewer")
    given = ["last 30 minutes", "yesterday 18-19", "monday morning", "viimeiset 45 min", "aino", "front door"]
    before = await last_entry(office)
    said = (await client.get("/v1/find/examples", params={"query": given})).json()["examples"]
    assert await last_entry(office) == before  # counts name no member, so no look is recorded
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
    found = (await client.get("/v1/find", params={"query": "last 3 hours", "limit": 3})).json()
    assert [hit["door"] for hit in found["hits"]] == ["Front door"] * 2 and found["next"] is None
    page = (await client.get("/v1/events", params={**span(gym), "limit": 2})).json()
    assert [event["door"] for event in page["events"]] == ["Front door"] * 2 and page["next"]

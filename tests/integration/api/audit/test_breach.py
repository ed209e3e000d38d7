"""What was exposed, of which members: planted looks, exports and searches, and what must not be among them."""

from __future__ import annotations

import json
import uuid
from typing import Any

import pytest

from domain.time import DAY_NS, HOUR_NS, NS, Span
from paper.exposed import Exposure, How
from pipeline.errors import SetupError
from pipeline.paper.breach import exposure_of
from runtime import sql
from runtime.database import connect
from storage.access import exposed
from storage.access.exposure import EXPOSING
from tests.conftest import Database
from tests.integration.api.conftest import Office
from tests.integration.api.gym import CORRIDOR, LOBBY, SOUTH_CAMERA, Gym, open_gym

pytestmark = pytest.mark.services


@pytest.fixture
async def gym(office: Office) -> Gym:
    return await open_gym(office.owner, office.clock.now_ns)


async def plant(office: Office, at_ns: int, actor: str, action: str, *rest: Any, detail: Any = None) -> None:
    """``rest``: member, camera, start, end."""
    member, camera, start_ns, end_ns = (*rest, None, None, None, None)[:4]
    await office.owner.execute(
        "SELECT audit_append($1, $2, $3, NULL, NULL, $4, $5, $6, $7, $8)",
        at_ns, actor, action, member, camera, start_ns, end_ns, json.dumps(detail or {}),
    )  # fmt: skip


async def answer(office: Office, database: Database, start_ns: int, end_ns: int, user: str | None = None) -> Exposure:
    conn = await connect(database.serve)
    try:
        return await exposure_of(conn, "Sali Oy", Span(start_ns, end_ns), user, office.clock.now_ns)
    finally:
        await conn.close()


async def planted(office: Office, gym: Gym) -> tuple[str, str, int]:
    """Two people: the first looked at footage of Aino's entry and searched Onni; the second only signed in."""
    (first, anna), (second, _) = await office.hire("viewer"), await office.hire("viewer")
    now, actor = gym.now_ns, f"staff:{anna.staff_id}"
    entered = now - 3600 * NS
    await plant(office, now - 100 * NS, actor, "sign_in")
    await plant(office, now - 90 * NS, actor, "look", None, LOBBY, entered - 2 * NS, entered + 8 * NS)
    await plant(office, now - 80 * NS, actor, "search_members", detail={"results": 1, "members": [str(gym.onni)]})
    await plant(office, now - 70 * NS, actor, "look_refused", None, SOUTH_CAMERA, now - 1210 * NS, now - 1190 * NS)
    await plant(office, now - 60 * NS, "operator", "verify")
    return first, second, now


async def test_looks_members_cameras_and_people_of_a_period(office: Office, gym: Gym, database: Database) -> None:
    first, _, now = await planted(office, gym)
    found = await answer(office, database, now - HOUR_NS, now)
    assert [(look.how, look.action) for look in found.looks] == [(How.FOOTAGE, "look"), (How.SEARCH, "search_members")]
    assert {look.person for look in found.looks} == {f"{first.title()} ({first})"}
    assert [(member.number, member.named, member.cameras) for member in found.members] == [
        ("1042", 0, ("North: Lobby",)),
        ("2077", 1, ()),
    ]
    assert found.looks[0].cameras == ("North: Lobby",) and found.looks[0].footage
    assert not found.whole_register and found.events_since and found.entries_since


async def test_what_is_outside_the_period_or_anothers_is_not_in_it(
    office: Office, gym: Gym, database: Database
) -> None:
    first, second, now = await planted(office, gym)
    assert len((await answer(office, database, now - 90 * NS, now - 80 * NS)).looks) == 1  # [start, end)
    assert (await answer(office, database, now - DAY_NS, now - 90 * NS)).looks == ()
    assert len((await answer(office, database, now - HOUR_NS, now, first)).looks) == 2
    other = await answer(office, database, now - HOUR_NS, now, second)
    assert other.looks == () and other.members == ()
    with pytest.raises(SetupError, match="no staff account 'zoe'"):
        await answer(office, database, now - HOUR_NS, now, "zoe")


async def test_members_before_and_after_the_span_of_their_door_are_not_named(
    office: Office, gym: Gym, database: Database
) -> None:
    _, anna = await office.hire("viewer")
    now, entered = gym.now_ns, gym.now_ns - 3600 * NS
    for start_ns, end_ns in ((entered - 60 * NS, entered - 6 * NS), (entered + 13 * NS, entered + 60 * NS)):
        await plant(office, now, f"staff:{anna.staff_id}", "look", None, LOBBY, start_ns, end_ns)
    found = await answer(office, database, now, now + 1)
    assert len(found.looks) == 2 and found.members == ()


async def test_export_that_was_fetched_names_its_cameras_and_members(
    office: Office, gym: Gym, database: Database
) -> None:
    _, anna = await office.hire("exporter")
    now, export = gym.now_ns, uuid.uuid4()
    client = await office.signed_in("exporter")
    purpose = uuid.UUID(await client.state_purpose())
    await office.owner.execute(
        "INSERT INTO footage_export (export_id, staff_id, purpose_id, camera_ids, start_ns, end_ns, format, state,"
        " minor, created_ns) VALUES ($1, $2, $3, $4, $5, $6, 'mp4', 'approval', false, $7)",
        export, anna.staff_id, purpose, [CORRIDOR], now - 1805 * NS, now - 1795 * NS, now,
    )  # fmt: skip
    detail = {"export_id": str(export), "cameras": [str(CORRIDOR)]}
    await plant(office, now, f"staff:{anna.staff_id}", "export_fetched", detail=detail)
    (look,) = (await answer(office, database, now, now + 1)).looks
    assert (look.how, look.cameras) == (How.EXPORT, ("North: Corridor",)) and look.footage
    (member,) = (await answer(office, database, now, now + 1)).members
    assert (member.number, member.cameras) == ("1042", ("North: Corridor",))


async def test_reading_it_is_on_record_first_with_its_members_and_without_a_name(
    office: Office, gym: Gym, database: Database
) -> None:
    _, _, now = await planted(office, gym)
    await answer(office, database, now - HOUR_NS, now)
    entry = (await office.audit())[-1]
    detail = json.loads(entry["detail"])
    assert (entry["actor"], entry["action"]) == ("operator", "audit_read")
    assert (detail["paper"], detail["entries"]) == ("breach", 2)
    assert set(detail["members"]) == {str(gym.aino), str(gym.onni)}
    assert "Virtanen" not in str(entry)


async def test_whole_register_that_was_exported_is_said(office: Office, gym: Gym, database: Database) -> None:
    await plant(office, gym.now_ns, "operator", "register_exported")
    assert (await answer(office, database, gym.now_ns, gym.now_ns + 1)).whole_register


async def test_many_entries_come_once_each_and_by_the_index(office: Office, gym: Gym) -> None:
    await office.owner.execute(
        "SELECT audit_append($1::bigint + n / 7, 'operator', CASE WHEN n % 3 = 0 THEN 'audit_read' ELSE 'verify' END,"
        " NULL, NULL, NULL, NULL, NULL, NULL, '{}') FROM generate_series(1, 13000) AS n",
        gym.now_ns,
    )
    await office.owner.execute("ANALYZE audit_entry")
    found = await exposed(office.owner, Span(gym.now_ns, gym.now_ns + DAY_NS))
    assert len(found) == len({one.seq for one in found}) == 4333
    plan = await office.owner.fetch(
        "EXPLAIN " + sql.load("storage.access", "exposed").replace("$3::text[]", "$3"),
        gym.now_ns, gym.now_ns + 40, list(EXPOSING), None, 0, 100,
    )  # fmt: skip
    text = "\n".join(row[0] for row in plan)
    assert "audit_entry_at" in text and "Seq Scan on audit_entry" not in text

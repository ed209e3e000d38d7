"""The register over PostgreSQL: what each role sees, what changes leave behind, who is a minor, what is on record."""

from __future__ import annotations

import asyncio
import csv
import io
import json
import uuid
from datetime import UTC, datetime, timedelta

import asyncpg
import pytest

from api.credentials.accounts import NewGrant
from domain.time import DAY_NS
from runtime.database import connect
from tests.conftest import Database
from tests.integration.api.conftest import Client, Office
from tests.integration.api.gym import NORTH, SOUTH, Gym, open_gym

pytestmark = pytest.mark.services
FIELDS = {"email": "aino@example.org", "phone": "040 123 4567", "address": "Kotikatu 1\n33100 Tampere"}


async def at_work(office: Office, *grants: NewGrant | str) -> Client:
    client = await office.signed_in(*grants)
    await client.state_purpose()
    return client


async def set_rights(admin: Client, /, **rights: dict[str, str]) -> None:
    before = (await admin.get("/v1/register-rights")).json()["rights"]
    answer = await admin.put("/v1/register-rights", json={"rights": {**before, **rights}})
    assert answer.status_code == 200, answer.text


async def card(client: Client, member_id: object) -> dict[str, str]:
    answer = await client.get(f"/v1/register/{member_id}")
    assert answer.status_code == 200, answer.text
    return {each["field"]: each["value"] for each in answer.json()["fields"]}


@pytest.fixture
async def gym(office: Office) -> Gym:
    return await open_gym(office.owner, office.clock.now_ns)


async def test_change_shows_keeps_what_was_and_is_on_record_without_the_values(office: Office, gym: Gym) -> None:
    admin = await at_work(office, "admin")
    answer = await admin.put(f"/v1/register/{gym.aino}", json={"fields": FIELDS})
    assert answer.status_code == 200, answer.text
    office.clock.forward(60)
    await admin.put(f"/v1/register/{gym.aino}", json={"fields": {"email": "a.virtanen@example.org", "phone": ""}})
    assert (await card(admin, gym.aino)) == {
        **dict.fromkeys(["birth_date", "other", "membership", "member_from", "member_to"], ""),
        **dict.fromkeys(["offers_email", "offers_sms", "offers_post", "phone"], ""),
        "name": "Aino Virtanen",
        "email": "a.virtanen@example.org",
        "address": FIELDS["address"],
    }
    versions = (await admin.get(f"/v1/register/{gym.aino}/history")).json()
    emails = [(each["value"], each["until"] is None, each["source"]) for each in versions if each["field"] == "email"]
    assert emails == [("a.virtanen@example.org", True, "staff"), ("aino@example.org", False, "staff")]
    assert {each["by"] for each in versions} == {(await admin.get("/v1/session")).json()["display_name"]}
    entries = [each for each in await office.audit() if each["action"].startswith("register_")]
    assert [json.loads(each["detail"])["fields"] for each in entries if each["action"] == "register_changed"] == [
        ["email", "phone", "address"],
        ["email", "phone"],
    ]
    assert {each["member_id"] for each in entries} == {gym.aino}
    assert not any(text in str(entries) for text in ("example.org", "0401234567", "Kotikatu"))


async def test_same_values_again_change_nothing(office: Office, gym: Gym) -> None:
    admin = await at_work(office, "admin")
    for _ in range(2):
        await admin.put(f"/v1/register/{gym.aino}", json={"fields": FIELDS})
        office.clock.forward(60)
    assert len((await admin.get(f"/v1/register/{gym.aino}/history")).json()) == 3
    assert [each["action"] for each in await office.audit()].count("register_changed") == 1


async def test_two_changes_at_once_leave_one_present_value(office: Office, gym: Gym) -> None:
    admin = await at_work(office, "admin")
    texts = [f"aino{number}@example.org" for number in range(8)]
    path = f"/v1/register/{gym.aino}"
    answers = await asyncio.gather(*(admin.put(path, json={"fields": {"email": text}}) for text in texts))
    assert {each.status_code for each in answers} == {200}
    versions = (await admin.get(f"{path}/history")).json()
    assert sorted(each["value"] for each in versions) == texts
    assert [each["until"] for each in versions].count(None) == 1


async def test_wrong_value_names_its_field_and_changes_nothing(office: Office, gym: Gym) -> None:
    admin = await at_work(office, "admin")
    answer = await admin.put(f"/v1/register/{gym.aino}", json={"fields": {"phone": "0401234", "email": "aino"}})
    assert (answer.status_code, answer.json()["type"]) == (422, "urn:tallenne:field-email")
    assert (await card(admin, gym.aino))["phone"] == ""


async def test_each_role_sees_the_fields_that_are_set_for_it_and_no_other(office: Office, gym: Gym) -> None:
    admin = await at_work(office, "admin")
    await admin.put(f"/v1/register/{gym.aino}", json={"fields": FIELDS})
    viewer = await at_work(office, "viewer")
    assert (await viewer.get(f"/v1/register/{gym.aino}")).status_code == 404
    await set_rights(admin, viewer={"email": "see", "phone": "change"})
    assert await card(viewer, gym.aino) == {"email": "aino@example.org", "phone": "0401234567"}
    shown = (await viewer.get(f"/v1/register/{gym.aino}/history")).json()
    assert {each["field"] for each in shown} == {"email", "phone"}
    assert (await viewer.get(f"/v1/register/{gym.aino}")).json()["consents"] is None
    for fields, status in (({"email": "x@example.org"}, 404), ({"phone": "0500", "name": "X"}, 404)):
        answer = await viewer.put(f"/v1/register/{gym.aino}", json={"fields": fields})
        assert answer.status_code == status, fields
    answer = await viewer.put(f"/v1/register/{gym.aino}", json={"fields": {"phone": "0500123"}})
    assert answer.status_code == 200
    assert (await card(admin, gym.aino))["email"] == "aino@example.org"


async def test_role_at_one_site_reaches_those_who_have_been_there(office: Office, gym: Gym) -> None:
    admin = await at_work(office, "admin")
    await set_rights(admin, viewer={"email": "see"}, exporter={"address": "see"})
    here = await at_work(office, NewGrant(role="viewer", site_id=NORTH), NewGrant(role="exporter", site_id=SOUTH))
    assert set(await card(here, gym.aino)) == {"email"}  # who has never been at the other site
    assert set(await card(here, gym.onni)) == {"address"}


async def test_name_is_found_by_its_new_form_and_kept_in_its_old(office: Office, gym: Gym) -> None:
    admin = await at_work(office, "admin")
    await admin.put(f"/v1/register/{gym.aino}", json={"fields": {"name": "Aino Järvi"}})
    assert [each["name"] for each in (await admin.get("/v1/members?query=jarvi aino")).json()] == ["Aino Järvi"]
    assert (await admin.get("/v1/members?query=virtanen")).json() == []
    versions = (await admin.get(f"/v1/register/{gym.aino}/history")).json()
    assert [(each["value"], each["source"]) for each in versions] == [
        ("Aino Järvi", "staff"),
        ("Aino Virtanen", "import"),
    ]


@pytest.mark.parametrize(("years", "days", "minor"), [(18, 1, True), (18, 0, False), (17, 0, True), (40, 0, False)])
async def test_birth_date_decides_who_is_a_minor(office: Office, gym: Gym, years: int, days: int, minor: bool) -> None:
    admin = await at_work(office, "admin")
    today = datetime.now(tz=UTC).date()
    if (today.month, today.day) == (2, 29):
        today -= timedelta(days=1)
    born = today.replace(year=today.year - years) + timedelta(days=days)
    answer = await admin.put(f"/v1/register/{gym.aino}", json={"fields": {"birth_date": born.isoformat()}})
    assert answer.json()["minor"] is minor
    # A list that says otherwise does not outweigh it.
    await office.owner.execute("UPDATE member SET minor = $2 WHERE member_id = $1", gym.aino, not minor)
    assert (await admin.get(f"/v1/register/{gym.aino}")).json()["minor"] is minor


@pytest.mark.parametrize(
    ("born", "last_day", "first_day"),
    [
        ("2008-02-29", "2026-02-28", "2026-03-01"),
        ("2008-02-28", "2026-02-27", "2026-02-28"),
        ("2008-03-01", "2026-02-28", "2026-03-01"),
        ("2010-01-01", "2027-12-31", "2028-01-01"),
        ("2006-02-28", "2024-02-27", "2024-02-28"),
    ],
)
async def test_last_day_as_a_minor_is_the_one_before_the_birthday(
    office: Office, born: str, last_day: str, first_day: str
) -> None:
    query = "SELECT is_minor_on($1::text::date, $2::text::date)"
    assert [await office.owner.fetchval(query, born, day) for day in (last_day, first_day)] == [True, False]


async def test_member_comes_of_age_by_the_keepers_word(office: Office, gym: Gym, database: Database) -> None:
    await office.owner.execute("UPDATE member SET minor = true")
    await office.owner.execute("ALTER TABLE member_field DISABLE TRIGGER birth_date_given")
    values = "($1, 'birth_date', '2001-01-01', 'staff', 0)"
    await office.owner.execute(
        f"INSERT INTO member_field (member_id, field, value, source, from_ns) VALUES {values}", gym.aino
    )
    keeper = await connect(database.keeper)
    assert [await keeper.fetchval("SELECT of_age_now()") for _ in range(2)] == [1, 0]
    await keeper.close()
    rows = await office.owner.fetch("SELECT member_id, minor FROM member")
    assert {row["member_id"]: row["minor"] for row in rows} == {gym.aino: False, gym.onni: True}


async def test_indexer_reads_nothing_of_the_register(database: Database, office: Office, gym: Gym) -> None:
    for role in (database.index, database.ingest, database.custodian, database.keeper):
        conn = await connect(role)
        for table in ("member_field", "member_consent", "register_right"):
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await conn.fetch(f"SELECT * FROM {table}")
        await conn.close()


async def test_new_member_is_added_once(office: Office, gym: Gym) -> None:
    admin = await at_work(office, "admin")
    body = {"number": "3001", "fields": {"name": "Uusi Jäsen", "email": "uusi@example.org"}}
    answers = await asyncio.gather(*(admin.post("/v1/register", json=body) for _ in range(3)))
    assert sorted(each.status_code for each in answers) == [201, 409, 409]
    found = (await admin.get("/v1/members?query=uusi")).json()
    assert [each["number"] for each in found] == ["3001"]
    assert await office.owner.fetchval("SELECT count(*) FROM member") == 3
    for wrong in ({"number": "3002", "fields": {"email": "x@example.org"}}, {"number": " ", "fields": {"name": "X"}}):
        assert (await admin.post("/v1/register", json=wrong)).status_code == 422
    limited = await at_work(office, NewGrant(role="admin", site_id=NORTH))
    assert (await limited.post("/v1/register", json={**body, "number": "3003"})).status_code == 404


async def test_consent_is_kept_with_its_end(office: Office, gym: Gym) -> None:
    admin = await at_work(office, "admin")
    path = f"/v1/register/{gym.aino}/consents"
    given = await admin.post(path, json={"purpose": "Kuvat uutiskirjeessä", "how": "paper"})
    assert given.status_code == 201
    consent = given.json()["consents"][0]
    assert (consent["purpose"], consent["how"], consent["withdrawn"]) == ("Kuvat uutiskirjeessä", "paper", None)
    office.clock.forward(600)
    elsewhere = f"/v1/register/{gym.onni}/consents/{consent['consent_id']}/withdraw"
    assert (await admin.post(elsewhere, json={"how": "desk"})).status_code == 404
    withdraw = f"{path}/{consent['consent_id']}/withdraw"
    assert (await admin.post(withdraw, json={"how": "desk"})).json()["consents"][0]["withdrawn"] is not None
    assert (await admin.post(withdraw, json={"how": "desk"})).status_code == 404
    actions = [each["action"] for each in await office.audit()]
    assert (actions.count("consent_given"), actions.count("consent_withdrawn")) == (1, 1)
    office.clock.forward(-600)
    await set_rights(admin, viewer={"consents": "see"})
    viewer = await at_work(office, "viewer")
    assert len((await viewer.get(f"/v1/register/{gym.aino}")).json()["consents"]) == 1
    assert (await viewer.post(path, json={"purpose": "x", "how": "desk"})).status_code == 404


async def test_effect_of_rights_is_shown_for_a_person(office: Office, gym: Gym) -> None:
    admin = await at_work(office, "admin")
    await set_rights(admin, viewer={"email": "see"}, exporter={"email": "change", "phone": "see"})
    _, anna = await office.hire(NewGrant(role="viewer", site_id=NORTH), NewGrant(role="exporter", site_id=NORTH))
    seen = (await admin.get(f"/v1/staff/{anna.staff_id}/sees")).json()
    assert seen["members"] == "at_their_doors"
    assert seen["fields"] == {"email": "change", "phone": "see"}
    assert seen["cameras"] == ["Corridor", "Lobby"]
    assert seen["doors"] == ["Front door", "Side door"]
    assert (await admin.get(f"/v1/staff/{uuid.uuid4()}/sees")).status_code == 404


async def test_rights_need_a_code_known_fields_and_are_on_record(office: Office, gym: Gym) -> None:
    admin = await at_work(office, "admin")
    wrong = await admin.put("/v1/register-rights", json={"rights": {"viewer": {"shoe_size": "see"}}})
    assert wrong.status_code == 422
    office.clock.forward(6 * 60)
    late = await admin.put("/v1/register-rights", json={"rights": {}})
    assert late.json()["type"] == "urn:tallenne:step-up-needed"
    assert (await admin.get(f"/v1/register/{gym.aino}")).status_code == 200  # nothing changed
    office.clock.forward(-6 * 60)
    await admin.put("/v1/register-rights", json={"rights": {"viewer": {"email": "see"}}})
    assert (await admin.get(f"/v1/register/{gym.aino}")).status_code == 404
    entry = [each for each in await office.audit() if each["action"] == "register_rights"][-1]
    assert json.loads(entry["detail"]) == {"rights": {"viewer": {"email": "see"}}}


async def test_export_is_the_register_as_far_as_one_sees_it(office: Office, gym: Gym) -> None:
    admin = await at_work(office, "admin")
    await admin.put(f"/v1/register/{gym.aino}", json={"fields": {**FIELDS, "other": "=1+1"}})
    answer = await admin.get("/v1/register.csv")
    rows = list(csv.DictReader(io.StringIO(answer.text, newline="")))
    assert [(row["number"], row["email"], row["other"]) for row in rows] == [
        ("1042", "aino@example.org", "'=1+1"),
        ("2077", "", ""),
    ]
    await set_rights(admin, admin={"email": "see"})
    rows = list(csv.DictReader(io.StringIO((await admin.get("/v1/register.csv")).text, newline="")))
    assert set(rows[0]) == {"number", "name", "minor", "email"}
    assert [each["action"] for each in await office.audit()].count("register_exported") == 2
    office.clock.forward(6 * 60)
    assert (await admin.get("/v1/register.csv")).status_code == 403


async def test_history_that_is_over_is_deleted(office: Office, gym: Gym, database: Database) -> None:
    admin = await at_work(office, "admin")
    for number in range(3):
        await admin.put(f"/v1/register/{gym.aino}", json={"fields": {"email": f"a{number}@example.org"}})
        office.clock.forward(1)
    await office.owner.execute(
        "UPDATE member_field SET from_ns = from_ns - $1::bigint,"
        " to_ns = CASE WHEN to_ns = 9223372036854775807 THEN to_ns ELSE to_ns - $1::bigint END",
        10 * DAY_NS,
    )
    keeper = await connect(database.keeper)
    call = "SELECT delete_older('member_history', $1, 100)"
    assert await keeper.fetchval(call, office.clock.now_ns - 11 * DAY_NS) == 0
    assert await keeper.fetchval(call, office.clock.now_ns - 9 * DAY_NS) == 2
    await keeper.close()
    versions = (await admin.get(f"/v1/register/{gym.aino}/history")).json()
    assert [each["value"] for each in versions] == ["a2@example.org"]

"""Administering staff, one's own account, what members may be told, quarantine."""

from __future__ import annotations

import asyncio
import contextlib
import json
import uuid
from collections.abc import AsyncIterator

import pyotp
import pytest
import segno

from api.credentials.accounts import NewGrant
from api.staff.shapes import qr
from domain.time import NS, to_iso
from tests.integration.api.conftest import PASSWORD, Client, Office, sign_in
from tests.integration.api.gym import LOBBY, NORTH, open_gym

pytestmark = pytest.mark.services
NEW = {"user_name": "Vuoro.Paallikko", "display_name": "Vuoropäällikkö", "password": "neljä sinistä kissaa"}


async def create(client: Client, **more: object) -> dict[str, object]:
    body = {**NEW, "grants": [{"role": "viewer", "site_id": str(NORTH)}], **more}
    answer = await client.post("/v1/staff", json=body)
    assert answer.status_code == 201, answer.text
    made: dict[str, object] = answer.json()
    return made


def code(office: Office, secret: object) -> str:
    return pyotp.TOTP(str(secret)).generate_otp(office.clock.now_ns // (30 * NS))


async def test_new_person_signs_in_with_what_was_shown_once(office: Office) -> None:
    await open_gym(office.owner, office.clock.now_ns)
    admin = await office.signed_in("admin")
    made = await create(admin)
    client = office.client()
    answer = await sign_in(client, "vuoro.paallikko", password=NEW["password"], code=code(office, made["secret"]))
    assert answer.status_code == 200
    assert answer.json()["roles"] == ["viewer"]
    listed = {each["user_name"]: each for each in (await admin.get("/v1/staff")).json()}
    mine = listed["vuoro.paallikko"]
    assert (mine["grants"], mine["sessions"], mine["recovery_codes"]) == (
        [{"role": "viewer", "site_id": str(NORTH), "camera_id": None}],
        1,
        10,
    )
    text = json.dumps(listed) + " ".join(str(row) for row in await office.audit())
    assert str(made["secret"]) not in text
    assert "neljä" not in text
    assert (await admin.post("/v1/staff", json={**NEW, "grants": []})).json()["type"] == "urn:tallenne:staff-exists"
    for wrong in ({"password": "short"}, {"user_name": "with blank"}, {"display_name": " "}, {"display_name": "a\nb"}):
        answer = await admin.post("/v1/staff", json={**NEW, "user_name": "other", "grants": [], **wrong})
        assert answer.json()["type"] == "urn:tallenne:staff-refused", wrong
    nowhere = [{"role": "viewer", "site_id": str(uuid.uuid4())}]
    answer = await admin.post("/v1/staff", json={**NEW, "user_name": "other", "grants": nowhere})
    assert (answer.status_code, answer.json()["type"]) == (422, "urn:tallenne:no-such-place")


async def test_roles_change_at_once(office: Office) -> None:
    await open_gym(office.owner, office.clock.now_ns)
    admin = await office.signed_in("admin")
    made = await create(admin)
    client = office.client()
    await sign_in(client, "vuoro.paallikko", password=NEW["password"], code=code(office, made["secret"]))
    assert (await client.get("/v1/cameras")).status_code == 200
    path = f"/v1/staff/{made['staff_id']}"
    answer = await admin.put(f"{path}/grants", json={"grants": [{"role": "auditor"}, {"role": "auditor"}]})
    assert [each["role"] for each in answer.json()["grants"]] == ["auditor"]
    assert (await client.get("/v1/cameras")).status_code == 404
    assert (await admin.post(f"{path}/disable", json={"disabled": True})).json()["disabled"]
    assert (await client.get("/v1/session")).status_code == 401
    office.clock.forward(30)
    again = await sign_in(client, "vuoro.paallikko", password=NEW["password"], code=code(office, made["secret"]))
    assert again.status_code == 401
    assert not (await admin.post(f"{path}/disable", json={"disabled": False})).json()["disabled"]
    actions = [row["action"] for row in await office.audit()]
    assert [each for each in actions if each.startswith("staff_")][-3:] == [
        "staff_grants",
        "staff_disabled",
        "staff_enabled",
    ]


async def test_lost_telephone_and_forgotten_password(office: Office) -> None:
    await open_gym(office.owner, office.clock.now_ns)
    admin = await office.signed_in("admin")
    made = await create(admin)
    path = f"/v1/staff/{made['staff_id']}"
    client = office.client()
    await sign_in(client, "vuoro.paallikko", password=NEW["password"], code=code(office, made["secret"]))
    fresh = (await admin.post(f"{path}/second-factor")).json()
    assert (await client.get("/v1/session")).status_code == 401
    assert fresh["secret"] != made["secret"]
    codes = made["recovery_codes"]
    assert isinstance(codes, list)
    for old in (code(office, made["secret"]), codes[0]):
        assert (await sign_in(client, "vuoro.paallikko", password=NEW["password"], code=old)).status_code == 401
    assert (await admin.post(f"{path}/password", json={"password": "viisi punaista koiraa"})).status_code == 204
    answer = await sign_in(
        client, "vuoro.paallikko", password="viisi punaista koiraa", code=code(office, fresh["secret"])
    )
    assert answer.status_code == 200
    assert (await admin.post(f"{path}/sign-out")).status_code == 204
    assert (await client.get("/v1/session")).status_code == 401


async def test_changes_need_a_fresh_code_and_leave_an_administrator(office: Office) -> None:
    admin = await office.signed_in("admin")
    own = (await admin.get("/v1/session")).json()["staff_id"]
    answer = await admin.put(f"/v1/staff/{own}/grants", json={"grants": [{"role": "viewer"}]})
    assert (answer.status_code, answer.json()["type"]) == (409, "urn:tallenne:last-admin")
    answer = await admin.post(f"/v1/staff/{own}/disable", json={"disabled": True})
    assert answer.json()["type"] == "urn:tallenne:yourself"
    assert (await admin.get("/v1/staff")).json()[0]["grants"][0]["role"] == "admin"
    assert (await admin.post(f"/v1/staff/{uuid.uuid4()}/sign-out")).status_code == 404
    office.clock.forward(301)
    for path, body in (
        ("/v1/staff", {**NEW, "grants": []}),
        (f"/v1/staff/{own}/second-factor", None),
        (f"/v1/staff/{own}/sign-out", None),
        ("/v1/recovery-codes", None),
        ("/v1/password", {"current": PASSWORD, "password": "viisi punaista koiraa"}),
    ):
        assert (await admin.post(path, json=body)).json()["type"] == "urn:tallenne:step-up-needed", path
    assert (await admin.get("/v1/staff")).status_code == 200


async def test_own_password_and_recovery_codes(office: Office) -> None:
    name, staff = await office.hire("viewer")
    one, other = office.client(), office.client()
    await sign_in(one, name, code=office.code(staff))
    office.clock.forward(30)
    await sign_in(other, name, code=office.code(staff))
    wrong = {"current": "not it at all", "password": "viisi punaista koiraa"}
    assert (await other.post("/v1/password", json=wrong)).json()["type"] == "urn:tallenne:password-wrong"
    weak = {"current": PASSWORD, "password": "short"}
    for _ in range(12):  # not a guess: the present one is right
        assert (await other.post("/v1/password", json=weak)).json()["type"] == "urn:tallenne:staff-refused"
    body = {"current": PASSWORD, "password": "viisi punaista koiraa"}
    assert (await other.post("/v1/password", json=body)).status_code == 204
    assert (await one.get("/v1/session")).status_code == 401
    codes = (await other.post("/v1/recovery-codes")).json()["recovery_codes"]
    assert len(set(codes)) == 10
    third = office.client()
    for old in (staff.recovery_codes[0], codes[0]):
        answer = await sign_in(third, name, password="viisi punaista koiraa", code=old)
        assert answer.status_code == (200 if old == codes[0] else 401)
    for _ in range(9):
        answer = await other.post("/v1/password", json=wrong)
    assert answer.status_code == 429


async def test_member_is_told_when_and_why_but_not_who(office: Office) -> None:
    gym = await open_gym(office.owner, office.clock.now_ns)
    name, staff = await office.hire("viewer")
    client = office.client()
    await sign_in(client, name, code=office.code(staff))
    await client.state_purpose()
    await client.get("/v1/members", params={"query": "1042"})
    await client.get("/v1/members", params={"query": "2077"})
    await client.get(f"/v1/events/{gym.granted}")
    segment_id, at_ns = uuid.uuid4(), gym.now_ns - 3600 * NS
    await office.owner.execute(
        "INSERT INTO tag VALUES ($1, $2, $3, $4, $3, $5)", gym.granted, segment_id, at_ns, LOBBY, at_ns + 15 * NS
    )
    for start_ns in (at_ns + 5 * NS, at_ns + 60 * NS):
        await office.owner.execute(
            "SELECT audit_append($1, $2, 'look', NULL, $3, NULL, $4, $5, $6, '{}')",
            gym.now_ns, f"staff:{staff.staff_id}", uuid.UUID(client.purpose), LOBBY, start_ns, start_ns + 10 * NS,
        )  # fmt: skip
    auditor = await office.signed_in("auditor")
    answer = await auditor.get(f"/v1/members/{gym.aino}/looks")
    assert [(each["kind"], each["purpose"]) for each in answer.json()["looks"]] == [
        ("footage", "incident"),
        ("passage", "incident"),
        ("search", "incident"),
    ]
    assert answer.json()["looks"][0]["start"] == to_iso(at_ns + 5 * NS)
    for secret in (name, name.title(), str(staff.staff_id), "a test"):
        assert secret not in answer.text
    assert (await office.audit())[-1]["action"] == "disclosure"
    page = (await auditor.get(f"/v1/members/{gym.aino}/looks", params={"limit": 2})).json()
    assert [each["kind"] for each in page["looks"]] == ["disclosure", "footage"]
    rest = (await auditor.get(f"/v1/members/{gym.aino}/looks", params={"before": page["next"]})).json()
    assert [each["kind"] for each in rest["looks"]] == ["passage", "search"]
    assert (await auditor.get(f"/v1/members/{uuid.uuid4()}/looks")).status_code == 404
    narrow = await office.signed_in(NewGrant(role="auditor", site_id=NORTH))
    assert (await narrow.get(f"/v1/members/{gym.aino}/looks")).status_code == 404


async def test_quarantine_page_by_page(office: Office) -> None:
    await open_gym(office.owner, office.clock.now_ns)
    for number in range(5):
        await office.owner.execute(
            "INSERT INTO quarantine VALUES (gen_random_uuid(), $1, 'access/x', $2, '\\x00', $3, 2, $4)",
            number + 1, "unknown door" if number % 2 else "not JSON", bytes([number]), 9 if number == 4 else None,
        )  # fmt: skip
    await office.owner.execute("INSERT INTO object_quarantine VALUES ('v1/x', 5, 'truncated')")
    admin = await office.signed_in("admin")
    page = (await admin.get("/v1/quarantine", params={"limit": 3})).json()
    assert [each["reason"] for each in page["messages"]] == ["unknown door", "not JSON", "unknown door"]
    assert [(each["reason"], each["messages"], each["seen"]) for each in page["reasons"]] == [
        ("not JSON", 2, 4),
        ("unknown door", 2, 4),
    ]
    assert page["objects"][0]["reason"] == "truncated"
    rest = (await admin.get("/v1/quarantine", params={"limit": 3, "cursor": page["next"]})).json()
    assert (len(rest["messages"]), rest["next"]) == (1, None)
    every = (await admin.get("/v1/quarantine", params={"waiting_only": "false"})).json()
    assert len(every["messages"]) == 5
    assert (await admin.get("/v1/quarantine", params={"cursor": "x"})).status_code == 422


async def test_administrators_search_members_with_a_purpose_only(office: Office) -> None:
    gym = await open_gym(office.owner, office.clock.now_ns)
    admin = await office.signed_in("admin")
    assert (await admin.get("/v1/members", params={"query": "aino"})).json()["type"] == "urn:tallenne:purpose-needed"
    await admin.state_purpose()
    found = (await admin.get("/v1/members", params={"query": "aino"})).json()
    assert [each["member_id"] for each in found] == [str(gym.aino)]
    assert (await admin.get("/v1/find", params={"query": "aino"})).status_code == 404
    site = await office.signed_in(NewGrant(role="admin", site_id=NORTH))
    await site.state_purpose()
    assert (await site.get("/v1/members", params={"query": "onni"})).json() == []


def test_square_says_what_it_should() -> None:
    text = "otpauth://totp/Tallenne:x?secret=ABC&issuer=Tallenne"
    made = qr(text)
    wanted = [bytes(row) for row in segno.make(text, error="m", micro=False).matrix_iter(border=4)]
    drawn = {tuple(map(int, part.split("h")[0].split())) for part in made.path.split("M")[1:]}
    assert made.size == len(wanted)
    assert drawn == {(x, y) for y, row in enumerate(wanted) for x, module in enumerate(row) if module}


@contextlib.asynccontextmanager
async def held(office: Office, statement: str, *arguments: object) -> AsyncIterator[None]:
    """What is asked for within the block waits until its end: it stands in the queue behind this lock."""
    async with office.owner.transaction():
        await office.owner.execute(statement, *arguments)
        yield


async def waiting(office: Office, count: int) -> None:
    """So many of the API's statements stand in a queue."""
    query = (
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
        " AND application_name = 'serve'"
    )
    async with asyncio.timeout(20):
        while await office.owner.fetchval(query) < count:
            await asyncio.sleep(0.01)
            await office.owner.execute("SELECT pg_stat_clear_snapshot()")  # else a transaction sees what it saw first


CHANGES = {
    "disable": {"disabled": True},
    "password": {"password": "neljä violettia polkupyörää"},
    "second-factor": None,
}


@pytest.mark.parametrize("signing_in_first", [True, False])
@pytest.mark.parametrize("by_recovery_code", [False, True])
async def test_sign_in_at_the_same_time_as_a_change_of_the_account_leaves_no_session(
    office: Office, signing_in_first: bool, by_recovery_code: bool
) -> None:
    admin = await office.signed_in("admin")
    for change, body in CHANGES.items():
        name, staff = await office.hire("viewer")
        client = office.client()
        code = staff.recovery_codes[0] if by_recovery_code else office.code(staff)
        path = f"/v1/staff/{staff.staff_id}"
        begin = [lambda: sign_in(client, name, code=code), lambda: admin.post(f"{path}/{change}", json=body)]  # noqa: B023
        tasks = []
        async with held(office, "SELECT FROM staff WHERE staff_id = $1 FOR UPDATE", staff.staff_id):
            for each in begin if signing_in_first else begin[::-1]:
                tasks.append(asyncio.create_task(each()))
                await waiting(office, len(tasks))
        signed, changed = await asyncio.gather(*(tasks if signing_in_first else tasks[::-1]))
        assert changed.status_code < 300
        assert signed.status_code in ((200, 401) if signing_in_first else (401,)), change
        if change == "disable":
            assert (await admin.post(f"{path}/disable", json={"disabled": False})).status_code == 200
        assert (await client.get("/v1/session")).status_code == 401, change


ONE_AT_A_TIME = "SELECT pg_advisory_xact_lock(7411222002)"


async def test_own_password_does_not_replace_one_that_an_administrator_has_just_set(office: Office) -> None:
    admin = await office.signed_in("admin")
    name, staff = await office.hire("viewer")
    client = office.client()
    await sign_in(client, name, code=office.code(staff))
    own = {"current": PASSWORD, "password": "neljä violettia polkupyörää"}
    async with held(office, ONE_AT_A_TIME):
        path = f"/v1/staff/{staff.staff_id}/password"
        reset = asyncio.create_task(admin.post(path, json={"password": "viisi vihreää polkupyörää"}))
        await waiting(office, 1)
        changing = asyncio.create_task(client.post("/v1/password", json=own))
        await waiting(office, 2)
    assert (await reset).status_code == 204
    assert (await changing).status_code == 401
    office.clock.forward(30)
    again = await sign_in(client, name, code=office.code(staff), password="viisi vihreää polkupyörää")
    assert again.status_code == 200


async def test_recovery_codes_made_twice_at_once_are_ten(office: Office) -> None:
    name, staff = await office.hire("viewer")
    client = office.client()
    await sign_in(client, name, code=office.code(staff))
    answers = await asyncio.gather(*(client.post("/v1/recovery-codes") for _ in range(4)))
    assert [answer.status_code for answer in answers] == [200] * 4
    kept = await office.owner.fetchval("SELECT count(*) FROM recovery_code WHERE staff_id = $1", staff.staff_id)
    assert kept == 10


async def test_administrator_who_is_disabled_meanwhile_changes_nothing_any_more(office: Office) -> None:
    await office.signed_in("admin")  # a third one, so that neither of the two is the last
    (first, first_id), (second, second_id) = [await administrator(office) for _ in range(2)]
    async with held(office, ONE_AT_A_TIME):
        one = asyncio.create_task(first.post(f"/v1/staff/{second_id}/disable", json={"disabled": True}))
        await waiting(office, 1)
        other = asyncio.create_task(second.post(f"/v1/staff/{first_id}/disable", json={"disabled": True}))
        await waiting(office, 2)
    assert ((await one).status_code, (await other).status_code) == (200, 401)
    assert (await first.get("/v1/session")).status_code == 200


async def administrator(office: Office) -> tuple[Client, uuid.UUID]:
    name, staff = await office.hire("admin")
    client = office.client()
    assert (await sign_in(client, name, code=office.code(staff))).status_code == 200
    return client, staff.staff_id

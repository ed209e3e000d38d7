"""What members see and correct of their own, and what of it is on record."""

from __future__ import annotations

import asyncio
import json
import uuid
from typing import Any

import pytest

from api.credentials.throttle import Limit
from domain.time import DAY_NS
from storage.register import Field, Source, Way, give_consent, keep
from tests.integration.api.members.club import AINO, NEWSLETTER, ONNI, WALL, Club, codes_of, values

pytestmark = [pytest.mark.services, pytest.mark.trust]
NEW = "a.virtanen@example.org"


async def record(club: Club, *actions: str) -> list[tuple[str, str, dict[str, Any]]]:
    entries = [each for each in await club.office.audit() if each["action"] in actions]
    return [(each["actor"], each["action"], json.loads(each["detail"])) for each in entries]


async def test_member_corrects_their_own_and_staff_see_who_said_so(club: Club) -> None:
    client = await club.signed_in()
    fields = {"phone": "040 123 4567", "address": "Kotikatu 1\n33100 Tampere", "offers_sms": "no"}
    answer = await client.put("/v1/me", json={"fields": fields})
    assert answer.status_code == 200, answer.text
    shown = values(answer.json())
    assert (shown["phone"], shown["address"], shown["offers_sms"]) == ("0401234567", fields["address"], "no")
    assert {each["field"] for each in answer.json()["fields"]} == set(Field)
    admin = await club.office.signed_in("admin")
    await admin.state_purpose()
    card = (await admin.get(f"/v1/register/{club.gym.aino}")).json()
    assert [(each["value"], each["source"]) for each in card["fields"] if each["field"] == "phone"] == [
        ("0401234567", "member")
    ]
    actor = f"member:{club.gym.aino}"
    assert await record(club, "register_changed") == [
        (actor, "register_changed", {"fields": ["phone", "address", "offers_sms"]})
    ]
    assert "Kotikatu" not in str(await club.office.audit())


async def test_fields_of_the_operator_are_not_changed_by_members(club: Club) -> None:
    client = await club.signed_in()
    own = set(club.office.rooms.members.own.may_change) - {"email"}
    for name in set(Field) - own:
        answer = await client.put("/v1/me", json={"fields": {name: "2001-01-01", "phone": "0401234567"}})
        assert (answer.status_code, answer.json()["type"]) == (403, "urn:tallenne:member-field"), name
    wrong = await client.put("/v1/me", json={"fields": {"phone": "x", "address": "y"}})
    assert (wrong.status_code, wrong.json()["type"]) == (422, "urn:tallenne:field-phone")
    shown = values((await client.get("/v1/me")).json())
    assert (shown["phone"], shown["address"]) == ("", "")


async def test_history_says_what_stood_there_and_not_which_of_the_staff(club: Club) -> None:
    _, anna = await club.office.hire("admin", user_name="anna")
    arguments = {"source": Source.STAFF, "staff_id": anna.staff_id, "now_ns": club.office.clock.now_ns}
    await keep(club.office.owner, club.gym.aino, {Field.PHONE: "050111"}, **arguments)
    client = await club.signed_in()
    club.office.clock.forward(60)
    await client.put("/v1/me", json={"fields": {"phone": "050222"}})
    answer = await client.get("/v1/me/history")
    phones = [each for each in answer.json() if each["field"] == "phone"]
    assert [(each["value"], each["source"]) for each in phones] == [("050222", "member"), ("050111", "staff")]
    assert "anna" not in answer.text.lower() and str(anna.staff_id) not in answer.text


async def test_new_address_counts_with_its_code_and_the_old_one_is_told(club: Club) -> None:
    client, elsewhere = await club.signed_in(), await club.signed_in()
    asked = await client.post("/v1/me/email", json={"email": NEW})
    assert asked.status_code == 202
    await club.office.rooms.members.post.idle()
    assert club.box.mails[-1]["To"] == NEW
    assert values((await client.get("/v1/me")).json())["email"] == AINO  # not yet
    body = {"request": asked.json()["request"], "email": NEW, "code": club.codes()[0]}
    wrong = {**body, "email": "other@example.org"}
    assert (await client.post("/v1/me/email/confirm", json={**body, "code": "1"})).status_code == 401
    assert (await client.post("/v1/me/email/confirm", json=wrong)).status_code == 401  # and the code is used
    asked = await client.post("/v1/me/email", json={"email": NEW})
    await club.office.rooms.members.post.idle()
    body = {"request": asked.json()["request"], "email": NEW, "code": club.codes()[0]}
    answer = await client.post("/v1/me/email/confirm", json=body)
    assert values(answer.json())["email"] == NEW
    await club.office.rooms.members.post.idle()
    told = club.box.mails[-1]
    assert (told["To"], told["Subject"]) == (AINO, "Your e-mail address at Testisali was changed")
    assert NEW not in str(told)
    assert [(await each.get("/v1/me")).status_code for each in (client, elsewhere)] == [200, 401]
    assert (await club.ask(club.office.client(), AINO)).status_code == 202
    assert club.box.mails[-1] is told  # the old address opens nothing
    await club.signed_in(NEW)
    changes = await record(club, "member_email_asked", "register_changed")
    assert [each[1:] for each in changes][-1] == ("register_changed", {"fields": ["email"]})


async def test_session_does_not_come_back_with_an_address_that_staff_changed_and_changed_back(club: Club) -> None:
    aino = await club.signed_in()
    assert (await aino.get("/v1/me")).status_code == 200
    for email in ("another@example.org", AINO):
        await club.set_email(club.gym.aino, email)
    assert (await aino.get("/v1/me")).status_code == 401


async def test_code_for_a_new_address_is_of_that_member_and_no_way_to_sign_in(club: Club) -> None:
    aino, onni = await club.signed_in(), await club.signed_in(ONNI)
    asked = (await aino.post("/v1/me/email", json={"email": NEW})).json()["request"]
    await club.office.rooms.members.post.idle()
    (code,) = club.codes()
    assert (await onni.post("/v1/me/sign-in", json={"request": asked, "code": code})).status_code == 401
    body = {"request": asked, "email": NEW, "code": code}
    assert (await onni.post("/v1/me/email/confirm", json=body)).status_code == 401
    assert values((await onni.get("/v1/me")).json())["email"] == ONNI
    signing = (await club.ask(club.office.client(), ONNI)).json()["request"]
    body = {"request": signing, "email": ONNI, "code": codes_of(club.box.mails[-1].get_content())[0]}
    assert (await onni.post("/v1/me/email/confirm", json=body)).status_code == 401  # nor the other way round


async def test_consents_are_given_of_what_is_offered_and_any_is_withdrawn(club: Club) -> None:
    client = await club.signed_in()
    paper = await give_consent(
        club.office.owner, club.gym.aino, "Vanha lomake", Way.PAPER, staff_id=None, now_ns=club.office.clock.now_ns
    )
    assert (await client.post("/v1/me/consents", json={"purpose": "Mitä vain"})).status_code == 404
    answers = await asyncio.gather(*(client.post("/v1/me/consents", json={"purpose": NEWSLETTER}) for _ in range(4)))
    assert {each.status_code for each in answers} == {201}
    card = (await client.get("/v1/me")).json()
    assert sorted(each["purpose"] for each in card["consents"]) == [NEWSLETTER, "Vanha lomake"]
    assert card["offered"] == [WALL]
    onni = await club.signed_in(ONNI)
    assert (await onni.post(f"/v1/me/consents/{paper}/withdraw", json={})).status_code == 404
    club.office.clock.forward(60)
    answer = await client.post(f"/v1/me/consents/{paper}/withdraw", json={})
    assert [each["purpose"] for each in answer.json()["consents"] if each["withdrawn"]] == ["Vanha lomake"]
    assert (await client.post(f"/v1/me/consents/{paper}/withdraw", json={})).status_code == 404
    assert (await client.post(f"/v1/me/consents/{uuid.uuid4()}/withdraw", json={})).status_code == 404
    actions = [each[1] for each in await record(club, "consent_given", "consent_withdrawn")]
    assert actions == ["consent_given", "consent_withdrawn"]


async def test_visits_are_what_doors_reported_a_month_at_a_time(club: Club) -> None:
    now_ns = club.office.clock.now_ns
    for days in (3, 40):
        await club.gym.event("granted", now_ns - days * DAY_NS, member=club.gym.aino, direction="in")
    await club.gym.event("denied", now_ns - 2 * DAY_NS, member=club.gym.aino)
    client = await club.signed_in()
    page = (await client.get("/v1/me/visits")).json()
    assert [(each["site"], each["door"], each["end_door"]) for each in page["visits"]] == [
        ("North", "Front door", "Front door"),
        ("North", "Front door", None),
    ]
    assert page["earlier"] is True
    older = (await client.get("/v1/me/visits", params={"until": page["start"]})).json()
    assert (len(older["visits"]), older["earlier"]) == (1, False)
    onni = (await (await club.signed_in(ONNI)).get("/v1/me/visits")).json()
    assert [each["door"] for each in onni["visits"]] == ["Pääovi"]
    for odd in ("1970-01-01T00:00:00Z", "2199-12-31T23:59:59Z", "x"):
        assert (await client.get("/v1/me/visits", params={"until": odd})).status_code in (200, 422)


async def test_looks_say_when_and_why_and_not_who(club: Club) -> None:
    name, staff = await club.office.hire("admin", "viewer", "auditor", user_name="curious")
    admin = club.office.client()
    await admin.post(
        "/v1/sign-in",
        json={"user_name": name, "password": "kolme oranssia polkupyoraa", "code": club.office.code(staff)},
    )
    admin.csrf = (await admin.get("/v1/session")).json()["csrf_token"]
    await admin.state_purpose()
    client = await club.signed_in()
    assert (await client.get("/v1/me/looks")).json() == {"looks": [], "next": None}
    await admin.get(f"/v1/register/{club.gym.aino}")
    await admin.get("/v1/members?query=aino")
    await client.put("/v1/me", json={"fields": {"phone": "0401234567"}})  # their own hand is no look
    answer = await client.get("/v1/me/looks")
    assert [(each["kind"], each["purpose"]) for each in answer.json()["looks"]] == [
        ("search", "incident"),
        ("register", "incident"),
    ]
    assert not any(text in answer.text for text in (name, str(staff.staff_id), "a test"))
    first = (await client.get("/v1/me/looks", params={"limit": 1})).json()
    assert (await client.get("/v1/me/looks", params={"limit": 1, "before": first["next"]})).json()["looks"] == [
        answer.json()["looks"][1]
    ]
    assert (await (await club.signed_in(ONNI)).get("/v1/me/looks")).json()["looks"] == []
    told = (await admin.get(f"/v1/members/{club.gym.aino}/looks")).json()["looks"]
    assert [each["kind"] for each in told] == ["search", "register"]


async def test_reading_is_on_record_before_anything_shows(club: Club) -> None:
    client = await club.signed_in()
    for path in ("", "/history", "/visits", "/looks"):
        await client.get(f"/v1/me{path}")
    actor = f"member:{club.gym.aino}"
    found = [(who, detail["what"]) for who, _, detail in await record(club, "member_read")]
    assert found == [(actor, what) for what in ("register", "history", "visits", "looks")]
    entries = [each for each in await club.office.audit() if each["action"] == "member_read"]
    assert {each["member_id"] for each in entries} == {club.gym.aino}


async def test_requests_of_one_member_are_limited(club: Club, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("api.members.room.PER_MEMBER", Limit(free=5))
    client, onni = await club.signed_in(), await club.signed_in(ONNI)
    statuses = [(await client.get("/v1/me")).status_code for _ in range(9)]
    assert statuses == [200] * 6 + [429] * 3
    assert (await onni.get("/v1/me")).status_code == 200
    assert (await client.post("/v1/me/sign-out", json={})).status_code == 204  # leaving is always possible

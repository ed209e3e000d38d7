"""Members sign in by a code from their mailbox: one answer for all addresses, and no way past the code."""

from __future__ import annotations

import asyncio
import json
import logging
import statistics
import time
import uuid
from collections import Counter
from typing import Any

import pytest

from api.members import codes, sessions
from api.members.codes import SHARED_MAX, TRIES
from api.members.room import PER_EMAIL
from api.sign_in.sessions import COOKIE as STAFF_COOKIE
from domain.ids import MemberId
from domain.time import NS
from storage.access import fold
from tests.integration.api.members.club import AINO, ONNI, UNKNOWN, Club, codes_of, enter

pytestmark = [pytest.mark.services, pytest.mark.trust]
ROUNDS = 60


async def add_member(club: Club, number: int, email: str) -> MemberId:
    member_id, name = MemberId(uuid.uuid4()), f"Jäsen {number}"
    await club.office.owner.execute("INSERT INTO member VALUES ($1, 0)", member_id)
    row = (member_id, str(number), name, fold(name))
    await club.office.owner.execute(
        "INSERT INTO member_identity (member_id, number, name, search) VALUES ($1, $2, $3, $4)", *row
    )
    await club.set_email(member_id, email)
    return member_id


async def test_code_from_the_mailbox_signs_in_once(club: Club) -> None:
    client = club.office.client()
    asked = (await club.ask(client, f"  {AINO.upper()} ")).json()
    (mail,) = club.box.mails
    assert (mail["To"], mail["From"], mail["Subject"]) == (AINO, "gym@example.org", "Your code for Testisali")
    assert mail["Auto-Submitted"] == "auto-generated" and "Aino" not in str(mail)
    (code,) = club.codes()
    answer = await enter(client, asked["request"], f"{code[:4]}-{code[4:]}")
    assert answer.status_code == 200
    cookie = answer.headers["set-cookie"]
    assert cookie.startswith("__Host-tallenne-member=")
    assert {"Path=/", "Secure", "HttpOnly", "SameSite=strict"} <= set(cookie.split("; "))
    assert (await client.get("/v1/me")).json()["name"] == "Aino Virtanen"
    again = await enter(club.office.client(), asked["request"], code)
    assert (again.status_code, again.json()["type"]) == (401, "urn:tallenne:member-code")
    stored = json.dumps(
        [
            str(row)
            for table in ("member_session", "member_code", "member_code_request")
            for row in await club.office.owner.fetch(f"SELECT * FROM {table}")
        ]
    )
    assert not any(secret in stored for secret in (code, asked["request"], AINO, client.cookies[sessions.COOKIE]))


async def test_unknown_address_gets_the_same_answer_after_the_same_work(club: Club) -> None:
    """Every statement of the request is counted; what is looked up afterwards is not part of the answer."""
    found: dict[str, tuple[Any, ...]] = {}
    for email in (AINO, UNKNOWN):
        client, asked = club.office.client(), Counter[str]()
        pool = club.office.rooms.members.records.pool
        async with pool.acquire() as conn:
            done: list[str] = []
            conn.add_query_logger(lambda record, done=done: done.append(record.query))
        answer = await client.post("/v1/me/sign-in/code", json={"email": email})
        before = list(done)
        await club.office.rooms.members.post.idle()
        wrong = await enter(client, answer.json()["request"], "0000 0000")
        body = {**answer.json(), "request": len(answer.json()["request"])}
        asked.update(before)
        headers = {name: value for name, value in answer.headers.items() if name != "content-length"}
        found[email] = (
            answer.status_code,
            body,
            headers,
            asked,
            wrong.status_code,
            wrong.json(),
            len(done) > len(before),
        )
    assert found[AINO] == found[UNKNOWN]
    assert found[AINO][3].total() > 4  # control: the statements were seen
    assert [mail["To"] for mail in club.box.mails] == [AINO]


async def test_member_without_an_address_or_without_a_link_gets_nothing(club: Club) -> None:
    await club.set_email(club.gym.aino, "")
    await club.office.owner.execute("DELETE FROM member_identity WHERE member_id = $1", club.gym.onni)
    for email in (AINO, ONNI):
        assert (await club.ask(club.office.client(), email)).status_code == 202
    assert club.box.mails == []
    assert (await club.ask(club.office.client(), "no address")).json()["type"] == "urn:tallenne:field-email"


async def test_guesses_end_with_the_request(club: Club) -> None:
    client = club.office.client()
    request = (await club.ask(client, AINO)).json()["request"]
    (code,) = club.codes()
    for number in range(TRIES):
        wrong = f"{(int(code) + 1 + number) % 10**8:08d}"
        assert (await enter(client, request, wrong)).status_code == 401
    assert (await enter(client, request, code)).status_code == 401  # also the right one
    assert "member_sign_in" not in [each["action"] for each in await club.office.audit()]
    request = (await club.ask(client, AINO)).json()["request"]
    answers = await asyncio.gather(*(enter(client, request, "00000000") for _ in range(12)))
    assert {each.status_code for each in answers} == {401}
    assert await club.office.owner.fetchval("SELECT max(tries) FROM member_code_request") == TRIES


async def test_code_opens_nothing_late_elsewhere_or_twice_at_once(club: Club) -> None:
    client, other = club.office.client(), club.office.client()
    aino, onni = [(await club.ask(each, email)).json()["request"] for each, email in ((client, AINO), (other, ONNI))]
    mine, theirs = [codes_of(mail.get_content())[0] for mail in club.box.mails]
    assert (await enter(client, aino, theirs)).status_code == 401
    assert (await enter(other, onni, mine)).status_code == 401
    answers = await asyncio.gather(*(enter(club.office.client(), aino, mine) for _ in range(4)))
    assert sorted(each.status_code for each in answers) == [200, 401, 401, 401]
    club.office.clock.forward(codes.GOOD_NS / NS)
    assert (await enter(other, onni, theirs)).status_code == 401
    for nonsense in ("x", "-", "a" * 64):
        assert (await enter(other, nonsense, theirs)).status_code == 401


async def test_code_does_not_outlive_the_address_it_went_to(club: Club) -> None:
    client = club.office.client()
    request = (await club.ask(client, AINO)).json()["request"]
    await club.set_email(club.gym.aino, "new@example.org")
    assert (await enter(client, request, club.codes()[0])).status_code == 401


async def test_members_who_share_an_address_get_a_code_each(club: Club) -> None:
    await club.set_email(club.gym.onni, AINO.title().replace("Example.Org", "example.org"))  # another spelling of it
    client = club.office.client()
    request = (await club.ask(client, AINO)).json()["request"]
    assert sorted(mail["To"] for mail in club.box.mails) == ["Aino@example.org", AINO]
    await club.set_email(club.gym.onni, AINO)
    request = (await club.ask(client, AINO)).json()["request"]
    mail = club.box.mails[-1].get_content()
    lines = dict(line.split(": ") for line in mail.splitlines() if codes_of(line))
    assert set(lines) == {"Aino Virtanen", "Onni Järvi <b>"}
    assert (await enter(client, request, lines["Onni Järvi <b>"])).status_code == 200
    assert (await client.get("/v1/me")).json()["number"] == "2077"
    assert (
        await enter(club.office.client(), request, lines["Aino Virtanen"])
    ).status_code == 401  # the request is used


async def test_address_of_more_than_a_family_opens_no_pages(club: Club, caplog: pytest.LogCaptureFixture) -> None:
    for number in range(SHARED_MAX + 1):
        await add_member(club, 9000 + number, "info@example.org")
    with caplog.at_level(logging.WARNING):
        assert (await club.ask(club.office.client(), "info@example.org")).status_code == 202
    assert club.box.mails == [] and "info@" not in caplog.text and "more than 8 members" in caplog.text


async def test_mailbox_is_not_flooded_from_however_many_places(club: Club) -> None:
    for email in (AINO, UNKNOWN):
        statuses = [
            (await club.ask(club.office.client(f"198.51.{number}.7"), email)).status_code for number in range(9)
        ]
        assert statuses == [202] * (PER_EMAIL.free + 1) + [429] * (8 - PER_EMAIL.free)
    assert len(club.box.mails) == PER_EMAIL.free + 1
    refused = await club.ask(club.office.client("203.0.113.1"), AINO.upper())
    assert (refused.status_code, refused.headers["retry-after"]) == (429, "300")
    club.office.clock.forward(24 * 3600)
    for number in range(24 * 12):
        club.office.clock.forward(300)
        await club.ask(club.office.client(f"198.18.{number // 250}.{number % 250}"), AINO)
    assert len(club.box.mails) - (PER_EMAIL.free + 1) < 24


async def test_limit_of_an_address_does_not_show_that_its_member_signed_in(club: Club) -> None:
    """Otherwise a code that is given again would tell a known address from an unknown one."""
    own = club.office.client()
    request = (await club.ask(own, AINO)).json()["request"]
    (code,) = club.codes()
    for email, asks in ((AINO, PER_EMAIL.free), (UNKNOWN, PER_EMAIL.free + 1)):
        for _ in range(asks):
            await club.ask(club.office.client("203.0.113.9"), email)
    assert (await enter(own, request, code)).status_code == 200
    for email in (AINO, UNKNOWN):
        assert (await club.ask(club.office.client("203.0.113.9"), email)).status_code == 429, email


async def test_guests_of_one_network_who_sign_in_do_not_lock_it(club: Club) -> None:
    for number in range(40):
        await add_member(club, 8000 + number, f"guest{number}@example.org")
        await club.signed_in(f"guest{number}@example.org", address="198.51.100.77")


async def test_odd_addresses_reach_no_header_and_no_log(club: Club, caplog: pytest.LogCaptureFixture) -> None:
    odd = ("=?utf-8?q?x=0D=0ABcc=3A_evil=40example=2Eorg?=@example.org", "ääkkönen@example.org", "a'b@exämple.org")
    with caplog.at_level(logging.WARNING):
        for number, email in enumerate(odd):
            await add_member(club, 7000 + number, email)
            status = (await club.ask(club.office.client(), email)).status_code
            assert status == (422 if "=?" in email else 202)
    assert all(mail["Bcc"] is None for mail in club.box.mails)
    assert not any(email in caplog.text for email in odd) and "Traceback" not in caplog.text


async def test_one_network_cannot_ask_or_guess_without_end(club: Club) -> None:
    client = club.office.client("198.51.100.9")
    asked = [
        (await client.post("/v1/me/sign-in/code", json={"email": f"a{n}@example.org"})).status_code for n in range(40)
    ]
    tried = [(await enter(client, "nothing", "1")).status_code for _ in range(40)]
    assert asked.count(429) >= 8 and tried.count(429) >= 8
    assert (await club.ask(club.office.client("198.51.100.10"), AINO)).status_code == 202  # others may


async def test_session_ends_by_idling_by_age_by_leaving_and_with_the_person(club: Club) -> None:
    ends: dict[str, Any] = {
        "idle": lambda: club.office.clock.forward(sessions.IDLE_NS / NS),
        "erased": lambda: club.office.owner.execute("DELETE FROM member_identity WHERE member_id = $1", club.gym.onni),
        "address": lambda: club.set_email(club.gym.aino, "by-staff@example.org"),
    }
    for how, email in (("idle", AINO), ("erased", ONNI), ("address", AINO)):
        club.office.clock.forward(3600 * 6)
        client = await club.signed_in(email)
        assert (await client.get("/v1/me")).status_code == 200, how
        if (done := ends[how]()) is not None:
            await done
        assert (await client.get("/v1/me")).status_code == 401, how
        assert (await client.get("/me")).headers["location"] == "/me/sign-in"
    client = await club.signed_in("by-staff@example.org")
    for _ in range(8 * 6 - 1):
        club.office.clock.forward(600)
        assert (await client.get("/v1/me")).status_code == 200
    club.office.clock.forward(600)
    assert (await client.get("/v1/me")).status_code == 401


async def test_sign_out_ends_this_session_or_all(club: Club) -> None:
    first, second, third = [await club.signed_in() for _ in range(3)]
    cookies = dict(first.cookies)
    assert (await first.post("/v1/me/sign-out", json={})).status_code == 204
    first.cookies.update(cookies)
    assert [(await each.get("/v1/me")).status_code for each in (first, second)] == [401, 200]
    assert (await second.post("/v1/me/sign-out", json={"everywhere": True})).status_code == 204
    assert (await third.get("/v1/me")).status_code == 401


async def test_cookie_is_new_at_each_sign_in_and_the_old_one_ends(club: Club) -> None:
    client = await club.signed_in()
    planted = client.cookies[sessions.COOKIE]
    request = (await club.ask(client, ONNI)).json()["request"]
    assert (await enter(client, request, club.codes()[0])).status_code == 200
    assert client.cookies[sessions.COOKIE] != planted
    victim = club.office.client()
    victim.cookies.set(sessions.COOKIE, planted)
    assert (await victim.get("/v1/me")).status_code == 401


async def test_cookies_of_staff_and_members_open_nothing_of_the_other(club: Club) -> None:
    staff, member = await club.office.signed_in("admin", "auditor"), await club.signed_in()
    await staff.state_purpose()
    theirs, mine = staff.cookies[STAFF_COOKIE], member.cookies[sessions.COOKIE]
    for name, token, path in (
        (STAFF_COOKIE, mine, "/v1/session"),
        (sessions.COOKIE, theirs, "/v1/me"),
        (STAFF_COOKIE, theirs, "/v1/me"),
        (sessions.COOKIE, mine, "/v1/session"),
    ):
        client = club.office.client()
        client.cookies.set(name, token)
        assert (await client.get(path)).status_code == 401, (name, path)
    assert (await staff.get("/v1/session")).status_code == (await member.get("/v1/me")).status_code == 200  # control
    assert (await member.post("/v1/me/sign-out", json={}, headers={"X-CSRF-Token": staff.csrf})).status_code == 403
    row = await club.office.owner.fetchrow("SELECT token_hash FROM member_session")
    assert row["token_hash"] not in (club.office.rooms.records.hash_cookie(mine), mine.encode())


async def test_sign_ins_are_on_record_without_addresses(club: Club) -> None:
    client = await club.signed_in()
    await enter(club.office.client(), "x", "1")
    await client.post("/v1/me/sign-out", json={})
    entries = [each for each in await club.office.audit() if each["action"].startswith("member_")]
    actor = f"member:{club.gym.aino}"
    assert [(each["action"], each["actor"]) for each in entries] == [
        ("member_sign_in", actor),
        ("member_sign_in_failed", "nobody"),
        ("member_sign_out", actor),
    ]
    assert "example.org" not in str(entries)


async def test_mail_server_that_is_away_is_a_problem_and_no_answer_changes(
    club: Club, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("api.members.post.AGAIN_S", (0.01, 0.01))
    post = club.office.rooms.members.post
    club.box.refusal = "451 Later"
    assert (await club.ask(club.office.client(), AINO)).status_code == 202
    assert post.problem is not None and AINO not in str(post.problem)
    club.box.refusal = ""
    await club.signed_in()
    assert post.problem is None
    monkeypatch.setattr("api.members.post.WAITING_MAX", 0)
    sent = len(club.box.mails)
    assert (await club.ask(club.office.client(), ONNI)).status_code == 202  # dropped, and the answer is the same
    assert len(club.box.mails) == sent


async def test_known_and_unknown_addresses_take_the_same_time(club: Club) -> None:
    """Asked alternately, so that what else the machine does falls on both; with mail that is really sent."""
    times: dict[str, list[float]] = {AINO: [], UNKNOWN: []}
    client, post = club.office.client(), club.office.rooms.members.post
    for number in range(2 * ROUNDS):
        await club.office.owner.execute("DELETE FROM sign_in_throttle")
        email = (AINO, UNKNOWN)[number % 2]
        began = time.perf_counter()
        asked = await client.post("/v1/me/sign-in/code", json={"email": email})
        wrong = await enter(client, asked.json()["request"], "00000000")
        times[email].append(time.perf_counter() - began)
        assert (asked.status_code, wrong.status_code) == (202, 401)
        await post.idle()
    known, unknown = (statistics.median(each) for each in times.values())
    print(f"known {known * 1000:.2f} ms, unknown {unknown * 1000:.2f} ms, ratio {known / unknown:.3f}")
    assert 0.8 < known / unknown < 1.25
    assert len(club.box.mails) == ROUNDS

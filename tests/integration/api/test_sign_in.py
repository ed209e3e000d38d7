"""Signing in: both factors, once each; guesses slowed down; sessions that end."""

from __future__ import annotations

import hashlib
import uuid

import pytest

from api.sign_in.sessions import COOKIE
from tests.integration.api.conftest import PASSWORD, Office, sign_in

pytestmark = pytest.mark.services


async def test_sign_in_password_and_code_session(office: Office) -> None:
    name, staff = await office.hire("viewer")
    client = office.client()
    answer = await sign_in(client, name, code=office.code(staff))
    assert answer.status_code == 200
    cookie = answer.headers["set-cookie"]
    assert cookie.startswith(f"{COOKIE}=")
    assert all(word in cookie for word in ("HttpOnly", "Secure", "SameSite=strict", "Path=/"))
    assert "Domain" not in cookie
    seen = (await client.get("/v1/session")).json()
    assert (seen["user_name"], seen["roles"], seen["purpose"]) == (name, ["viewer"], None)
    assert [entry["action"] for entry in await office.audit()] == ["staff_created", "sign_in"]


async def test_sign_in_same_code_twice_refused(office: Office) -> None:
    name, staff = await office.hire("viewer")
    assert (await sign_in(office.client(), name, code=office.code(staff))).status_code == 200
    assert (await sign_in(office.client(), name, code=office.code(staff))).status_code == 401
    office.clock.forward(30)
    assert (await sign_in(office.client(), name, code=office.code(staff))).status_code == 200


async def test_sign_in_recovery_code_counts_once(office: Office) -> None:
    name, staff = await office.hire("viewer")
    code = staff.recovery_codes[3].lower().replace("-", " ")
    assert (await sign_in(office.client(), name, code=code)).status_code == 200
    assert (await sign_in(office.client(), name, code=code)).status_code == 401


async def test_sign_in_whatever_is_wrong_same_answer(office: Office) -> None:
    name, staff = await office.hire("viewer")
    code = office.code(staff)
    wrong = "000000" if code != "000000" else "111111"
    answers = [
        await sign_in(office.client(), name, code=wrong),
        await sign_in(office.client(), name, code=code, password="not the password"),
        await sign_in(office.client(), "nobody", code=code),
        await sign_in(office.client(), "no\x00body <b>", code=code),
        await sign_in(office.client(), name, code="no such code"),
    ]
    assert {(answer.status_code, answer.content) for answer in answers} == {(401, answers[0].content)}
    assert answers[0].headers["content-type"] == "application/problem+json"
    assert "set-cookie" not in answers[0].headers
    # The wrong password did not use the code up.
    assert (await sign_in(office.client(), name, code=code)).status_code == 200


async def test_sign_in_many_failures_wait_even_with_the_right_code(office: Office) -> None:
    name, staff = await office.hire("viewer")
    answers = [(await sign_in(office.client(), name, code="000000")).status_code for _ in range(8)]
    assert answers == [401] * 6 + [429] * 2
    refused = await sign_in(office.client(), name, code=office.code(staff))
    assert refused.status_code == 429
    assert int(refused.headers["retry-after"]) == 1
    office.clock.forward(1)
    assert (await sign_in(office.client(), name, code=office.code(staff))).status_code == 200
    assert await office.owner.fetchval("SELECT count(*) FROM sign_in_throttle WHERE failures > 6") == 0


async def test_sign_in_many_names_from_one_address_wait(office: Office) -> None:
    client = office.client()
    answers = [(await sign_in(client, f"guess-{n}", code="000000")).status_code for n in range(23)]
    assert answers == [401] * 21 + [429] * 2
    name, staff = await office.hire("viewer")
    assert (await sign_in(office.client("198.51.100.4"), name, code=office.code(staff))).status_code == 200


async def test_session_idle_and_absolute_limits_end_it(office: Office) -> None:
    client = await office.signed_in("viewer")
    office.clock.forward(14 * 60)
    assert (await client.get("/v1/session")).status_code == 200
    office.clock.forward(14 * 60)
    assert (await client.get("/v1/session")).status_code == 200
    office.clock.forward(15 * 60 + 1)
    assert (await client.get("/v1/session")).status_code == 401
    client = await office.signed_in("viewer")
    for _ in range(12 * 6 - 1):
        office.clock.forward(600)
        assert (await client.get("/v1/session")).status_code == 200
    office.clock.forward(600)
    assert (await client.get("/v1/session")).status_code == 401


async def test_sign_in_again_ends_the_old_cookie(office: Office) -> None:
    name, staff = await office.hire("viewer")
    client, thief = office.client(), office.client()
    await sign_in(client, name, code=office.code(staff))
    thief.cookies.set(COOKIE, client.cookies[COOKIE], domain="tallenne.test")
    assert (await thief.get("/v1/session")).status_code == 200
    office.clock.forward(30)
    await sign_in(client, name, code=office.code(staff))
    assert (await thief.get("/v1/session")).status_code == 401


async def test_sign_out_everywhere_ends_all(office: Office) -> None:
    name, staff = await office.hire("viewer")
    one, other = office.client(), office.client()
    await sign_in(one, name, code=office.code(staff))
    office.clock.forward(30)
    await sign_in(other, name, code=office.code(staff))
    assert (await one.post("/v1/sign-out", json={"everywhere": True})).status_code == 204
    assert (await one.get("/v1/session")).status_code == 401
    assert (await other.get("/v1/session")).status_code == 401


async def test_disabled_staff_session_ends(office: Office) -> None:
    client = await office.signed_in("viewer")
    await office.owner.execute("UPDATE staff SET disabled_ns = 1")
    assert (await client.get("/v1/session")).status_code == 401


async def test_unsafe_method_without_token_refused(office: Office) -> None:
    client = await office.signed_in("viewer")
    body = {"category": "incident", "reason": "a test"}
    refused = await client.post("/v1/purposes", json=body, headers={"X-CSRF-Token": "x"})
    assert (refused.status_code, refused.json()["type"]) == (403, "urn:tallenne:csrf")
    refused = await client.post("/v1/purposes", json=body, headers={"Origin": "https://evil.test"})
    assert (refused.status_code, refused.json()["type"]) == (403, "urn:tallenne:origin")
    refused = await client.post("/v1/purposes", json=body, headers={"Sec-Fetch-Site": "cross-site"})
    assert refused.status_code == 403
    assert (await client.post("/v1/purposes", json=body)).status_code == 201


async def test_step_up_needs_a_fresh_code(office: Office) -> None:
    name, staff = await office.hire("exporter")
    client = office.client()
    code = office.code(staff)
    assert (await sign_in(client, name, code=code)).json()["stepped_up_until"] is not None
    office.clock.forward(6 * 60)
    assert (await client.get("/v1/session")).json()["stepped_up_until"] is None
    refused = await client.post("/v1/step-up", json={"code": code})
    assert (refused.status_code, refused.json()["type"]) == (403, "urn:tallenne:code-refused")
    answer = await client.post("/v1/step-up", json={"code": office.code(staff)})
    assert answer.json()["stepped_up_until"] is not None


async def test_purpose_of_another_session_unknown(office: Office) -> None:
    one, other = await office.signed_in("viewer"), await office.signed_in("viewer")
    stated = await one.state_purpose()
    assert (await one.get("/v1/session")).json()["purpose"]["purpose_id"] == stated
    assert (await other.get("/v1/session")).json()["purpose"] is None


async def test_answers_carry_the_headers_and_bodies_are_capped(office: Office) -> None:
    client = office.client()
    answer = await client.get("/v1/session")
    assert answer.status_code == 401
    assert "unsafe" not in answer.headers["content-security-policy"]
    assert answer.headers["cache-control"] == "no-store"
    big = {"user_name": "a" * 70_000, "password": PASSWORD, "code": "1"}
    assert (await client.post("/v1/sign-in", json=big)).status_code == 413

    async def endless() -> object:
        for _ in range(100):
            yield b" " * 1024

    answer = await client.post("/v1/sign-in", content=endless(), headers={"Content-Type": "application/json"})
    assert answer.status_code == 413
    answer = await client.post("/v1/sign-in", json={"user_name": "a", "password": "hush hush", "code": 5})
    assert answer.status_code == 422
    assert "hush" not in answer.text
    assert (await client.get("/v1/nothing")).json()["type"] == "urn:tallenne:not-found"
    assert (await client.delete("/v1/session")).status_code == 405


async def test_no_secret_in_database_in_clear(office: Office) -> None:
    _, staff = await office.hire("viewer")
    rows = await office.owner.fetch("SELECT s::text FROM staff s UNION ALL SELECT r::text FROM recovery_code r")
    text = " ".join(row[0] for row in rows)
    hidden = (staff.totp_secret, PASSWORD, *staff.recovery_codes)
    assert not any(secret in text or secret.encode().hex() in text for secret in hidden)


async def test_session_written_with_the_database_password_alone_opens_no_page(office: Office) -> None:
    """Whoever has serve's database user can write rows, and lacks the key that the stored hashes are made with."""
    _, staff = await office.hire("admin")
    for number, hash_cookie in enumerate(
        (lambda token: hashlib.sha256(token.encode()).digest(), str.encode, office.rooms.records.hash_cookie)
    ):
        token = f"made-up-{number}"
        async with office.rooms.records.pool.acquire() as conn:  # of serve's own user
            await conn.execute(
                "INSERT INTO staff_session (session_id, token_hash, staff_id, created_ns, seen_ns, second_factor)"
                " VALUES ($1, $2, $3, $4, $4, true)",
                uuid.uuid4(),
                hash_cookie(token),
                staff.staff_id,
                office.clock.now_ns,
            )
        answer = await office.client().get("/v1/session", headers={"cookie": f"{COOKIE}={token}"})
        assert answer.status_code == (200 if number == 2 else 401)  # the last one is the control

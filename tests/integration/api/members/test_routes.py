"""Every member route over one table, as two members and as strangers: nothing of the other, no way in but a code."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator
from typing import Any, Final

import httpx
import pytest
from fastapi.routing import APIRoute

from api.app import ROUTERS as STAFF_ROUTERS
from api.members import pages
from api.members.app import ROUTERS, build_members_app
from api.members.sessions import COOKIE
from api.sign_in.sessions import COOKIE as STAFF_COOKIE
from storage.register import Field, Source, Way, give_consent, keep
from tests.integration.api.conftest import Client, Office
from tests.integration.api.members.club import AINO, NEWSLETTER, ONNI, Club, enter
from tests.integration.api.test_roles import TABLE as STAFF_TABLE

pytestmark = [pytest.mark.services, pytest.mark.trust]
NONE: Final = "00000000-0000-4000-8000-000000000000"
CODE: Final = {"request": "x", "code": "1"}
# Method and route: path, body; {consent} is the other member's.
TABLE: Final[dict[tuple[str, str], tuple[str, Any]]] = {
    ("POST", "/v1/me/sign-in/code"): ("/v1/me/sign-in/code", {"email": ONNI}),
    ("POST", "/v1/me/sign-in"): ("/v1/me/sign-in", CODE),
    ("GET", "/v1/me"): ("/v1/me", None),
    ("PUT", "/v1/me"): ("/v1/me", {"fields": {"phone": "0409999"}}),
    ("GET", "/v1/me/history"): ("/v1/me/history", None),
    ("POST", "/v1/me/email"): ("/v1/me/email", {"email": ONNI}),
    ("POST", "/v1/me/email/confirm"): ("/v1/me/email/confirm", {**CODE, "email": ONNI}),
    ("POST", "/v1/me/consents"): ("/v1/me/consents", {"purpose": NEWSLETTER}),
    ("POST", "/v1/me/consents/{consent_id}/withdraw"): ("/v1/me/consents/{consent}/withdraw", {}),
    ("GET", "/v1/me/visits"): ("/v1/me/visits", None),
    ("GET", "/v1/me/recipients"): ("/v1/me/recipients", None),
    ("GET", "/v1/me/looks"): ("/v1/me/looks", None),
    ("GET", "/v1/me/requests"): ("/v1/me/requests", None),
    ("POST", "/v1/me/requests"): ("/v1/me/requests", {"kind": "access", "details": "Mine, please."}),
    ("POST", "/v1/me/requests/{request_id}/withdraw"): ("/v1/me/requests/{request}/withdraw", {}),
    ("POST", "/v1/me/sign-out"): ("/v1/me/sign-out", {"everywhere": True}),
}
OPEN: Final = {("POST", "/v1/me/sign-in/code"), ("POST", "/v1/me/sign-in")}
PAGES: Final = ("/me", "/me/visits", "/me/looks", "/me/requests")


def routes_of(routers: Any) -> Iterator[tuple[str, str]]:
    for router in routers:
        for route in router.routes:
            assert isinstance(route, APIRoute)
            yield from ((method, route.path) for method in route.methods)


def test_every_route_is_in_the_table() -> None:
    assert set(routes_of(ROUTERS)) == set(TABLE)
    assert {path for _, path in routes_of([pages.router])} == {*PAGES, "/me/sign-in"}
    assert not {path for _, path in routes_of(STAFF_ROUTERS)} & {path for _, path in TABLE}


async def traces(club: Club, member_id: Any) -> list[str]:
    """What is stored of a member and could be seen by another."""
    owner = club.office.owner
    words = [str(member_id), "0405555", "Salainen katu", "Salainen suostumus", "Salainen pyyntö", "Salainen saaja"]
    row = await owner.fetchrow("SELECT number, name FROM member_identity WHERE member_id = $1", member_id)
    return [*words, row["number"], row["name"], "Pääovi", "South"]


async def fill(club: Club, member_id: Any) -> str:
    """Return the id of a consent, which is a request's as well."""
    now_ns = club.office.clock.now_ns
    values = {Field.PHONE: "0405555", Field.ADDRESS: "Salainen katu 1"}
    await keep(club.office.owner, member_id, values, source=Source.IMPORT, staff_id=None, now_ns=now_ns)
    given = await give_consent(
        club.office.owner, member_id, "Salainen suostumus", Way.PAPER, staff_id=None, now_ns=now_ns
    )
    await club.office.owner.execute(
        "INSERT INTO member_request (request_id, member_id, kind, channel, details, received_ns, due_ns)"
        " VALUES ($1, $2, 'objection', 'letter', 'Salainen pyyntö', $3, $3::bigint + 1)",
        *(given, member_id, now_ns),
    )
    staff_id = uuid.uuid4()
    await club.office.owner.execute(
        "INSERT INTO staff (staff_id, user_name, display_name, password_hash, created_ns) VALUES ($1, $2, 'x', '', 0)",
        *(staff_id, str(staff_id)),
    )
    await club.office.owner.execute(
        "INSERT INTO recipient (recipient_id, member_id, kind, name, what, why, basis, staff_id, handed_ns)"
        " VALUES ($1, $2, 'insurer', 'Salainen saaja', 'x', 'y', 'contract', $3, $4)",
        *(uuid.uuid4(), member_id, staff_id, now_ns),
    )
    return str(given)


async def call(client: Client, key: tuple[str, str], consent: str, **more: Any) -> httpx.Response:
    path, body = TABLE[key]
    return await client.request(
        key[0], path.replace("{consent}", consent).replace("{request}", consent), json=body, **more
    )


async def state_of(club: Club, member_id: Any) -> list[str]:
    queries = (
        "SELECT * FROM member_field WHERE member_id = $1 ORDER BY field, from_ns",
        "SELECT * FROM member_consent WHERE member_id = $1",
        "SELECT * FROM member_request WHERE member_id = $1",
        "SELECT session_id, ended_ns, email_hash FROM member_session WHERE member_id = $1",
    )
    return [str(await club.office.owner.fetch(query, member_id)) for query in queries]


async def test_no_route_shows_or_changes_anything_of_another_member(club: Club) -> None:
    """Aino calls every route and page, naming what is Onni's where a route names anything."""
    consent = await fill(club, club.gym.onni)
    onni = await club.signed_in(ONNI)
    aino = await club.signed_in(AINO)
    before, words = await state_of(club, club.gym.onni), await traces(club, club.gym.onni)
    answers = {key: await call(aino, key, consent) for key in TABLE}
    aino = await club.signed_in(AINO)
    shown = {path: (await aino.get(path)).text for path in PAGES}
    leaks = [key for key, answer in answers.items() if any(word in answer.text + str(answer.headers) for word in words)]
    assert leaks == [] and not any(word in text for text in shown.values() for word in words)
    assert await state_of(club, club.gym.onni) == before
    assert (await onni.get("/v1/me")).status_code == 200
    control = [await call(onni, key, consent) for key in TABLE if key[0] == "GET"]
    seen = "".join(answer.text for answer in control)
    assert all(word in seen for word in words if word != str(club.gym.onni))
    other = answers["POST", "/v1/me/consents/{consent_id}/withdraw"]
    unknown = await (await club.signed_in()).post(f"/v1/me/consents/{NONE}/withdraw", json={})
    assert (other.status_code, other.json()) == (unknown.status_code, unknown.json()) == (404, other.json())


@pytest.mark.parametrize("who", ["stranger", "staff", "staff cookie under the members' name"])
async def test_no_route_opens_without_a_members_session(club: Club, who: str) -> None:
    consent = await fill(club, club.gym.aino)
    client = club.office.client()
    if who != "stranger":
        client = await club.office.signed_in("exporter", "admin", "auditor")
        if who != "staff":
            client.cookies.set(COOKIE, client.cookies[STAFF_COOKIE])
    answers = {key: (await call(client, key, consent)).status_code for key in TABLE if key not in OPEN}
    assert set(answers.values()) == {401}, answers
    for path in PAGES:
        assert (await client.get(path)).headers["location"] == "/me/sign-in"


async def test_no_change_without_the_sessions_token_or_from_another_site(club: Club) -> None:
    consent = await fill(club, club.gym.aino)
    client, other = await club.signed_in(), await club.signed_in(ONNI)
    before = await state_of(club, club.gym.aino)
    changing = [key for key in TABLE if key[0] != "GET" and key not in OPEN]
    for token in ("", "x", other.csrf, "ä"):
        header = (
            {"X-CSRF-Token": token.encode("latin-1").decode("latin-1")} if token != "ä" else {"X-CSRF-Token": "a" * 64}
        )
        found = {key: (await call(client, key, consent, headers=header)).status_code for key in changing}
        assert set(found.values()) == {403}, found
    for header in ({"Origin": "https://evil.example"}, {"Sec-Fetch-Site": "cross-site"}):
        found = {
            key: (await call(client, key, consent, headers=header)).status_code for key in TABLE if key[0] != "GET"
        }
        assert set(found.values()) == {403}, found
    assert await state_of(club, club.gym.aino) == before


async def test_member_reaches_no_route_of_staff(club: Club) -> None:
    client = await club.signed_in()
    client.cookies.set(STAFF_COOKIE, client.cookies[COOKIE])
    stranger = club.office.client()
    for (method, _), (address, body, _) in STAFF_TABLE.items():
        path = address.replace("{aino}", str(club.gym.aino)).replace("{granted}", str(club.gym.granted))
        path = path.replace("{somebody}", NONE)
        mine = await client.request(method, path, json=body)
        assert mine.status_code == (await stranger.request(method, path, json=body)).status_code, path
    for path in ("/find", "/members", f"/register/{club.gym.aino}", "/audit", "/account"):
        assert (await client.get(path)).headers["location"].startswith("/sign-in")


async def test_frame_of_members_holds_nothing_of_staff(club: Club) -> None:
    client = await club.signed_in()
    for path in (*PAGES, "/me/sign-in"):
        answer = await client.get(path)
        assert answer.status_code == 200 and "script-src 'self'" in answer.headers["content-security-policy"]
        assert answer.headers["cache-control"] == "no-store"
        for word in ("/find", "/audit", "frame.js", "alarms.js", "waiting.js", 'href="/sign-in', "manifest"):
            assert word not in answer.text.replace("/static/me/frame.js", ""), (path, word)
    answer = await client.get("/me/nothing", headers={"accept": "text/html"})
    assert answer.status_code == 404 and 'href="/me"' in answer.text
    assert client.csrf not in (await club.office.client().get("/me/sign-in")).text


async def test_without_settings_members_have_no_pages(office: Office) -> None:
    client = office.client()
    for path in ("/me", "/me/sign-in", "/v1/me", "/v1/me/openapi.json"):
        assert (await client.get(path)).status_code == 404, path
    assert (await client.post("/v1/me/sign-in/code", json={"email": AINO})).status_code == 404
    page = await client.get("/me", headers={"accept": "text/html", "accept-language": "fi"})
    assert page.status_code == 404 and "Jäsenten sivuja ei ole otettu käyttöön" in page.text
    assert (await client.get("/metrics")).status_code in (401, 404)  # begins alike, and is another's


def test_own_document_names_own_routes_alone(club: Club) -> None:
    document = build_members_app(club.office.rooms.members).openapi()
    assert set(document["paths"]) == {path for _, path in TABLE}
    assert "Staff" not in json.dumps(document["components"])


async def test_nothing_of_a_member_is_left_for_one_who_takes_the_browser_over(club: Club) -> None:
    """Aino leaves, Onni signs in with the same browser; then Aino's old token does nothing for Onni's session."""
    client = await club.signed_in()
    old = client.csrf
    await client.post("/v1/me/sign-out", json={})
    assert COOKIE not in client.cookies
    request = (await club.ask(client, ONNI)).json()["request"]
    await enter(client, request, club.codes()[0])
    answer = await client.put("/v1/me", json={"fields": {"phone": "0401"}}, headers={"X-CSRF-Token": old})
    assert answer.status_code == 403

"""Pages over a real database: who gets which, and where they are sent instead."""

from __future__ import annotations

import pytest

from tests.integration.api.conftest import Office
from tests.integration.api.gym import open_gym

pytestmark = pytest.mark.services
HTML = {"Accept": "text/html"}
PAGES = ("/find", "/exports", "/cameras", "/members", "/users", "/quarantine", "/audit")


async def test_pages_lead_to_sign_in_and_then_to_a_purpose(office: Office) -> None:
    gym = await open_gym(office.owner, office.clock.now_ns)
    stranger = office.client()
    for path in ("/", "/find", "/cameras", "/audit", "/purpose", f"/visit/{gym.granted}"):
        answer = await stranger.get(path, headers=HTML)
        assert (answer.status_code, answer.headers["location"].split("?")[0]) == (303, "/sign-in")
    client = await office.signed_in("viewer")
    assert (await client.get("/")).headers["location"] == "/find"
    answer = await client.get(f"/visit/{gym.granted}", headers=HTML)
    assert answer.headers["location"] == f"/purpose?next=%2Fvisit%2F{gym.granted}"
    await client.state_purpose()
    for path in ("/find", f"/visit/{gym.granted}", "/cameras", "/purpose"):
        answer = await client.get(path, headers=HTML)
        assert answer.status_code == 200
        assert answer.headers["cache-control"] == "no-store"


async def test_pages_by_role(office: Office) -> None:
    for role, may in (
        ("viewer", {"/find", "/cameras"}),
        ("exporter", {"/find", "/exports", "/cameras"}),
        ("admin", {"/exports", "/cameras", "/members", "/users", "/quarantine", "/audit"}),
        ("auditor", {"/audit"}),
        (None, set()),
    ):
        client = await office.signed_in(*([role] if role else []))
        if may & {"/find", "/members"}:
            await client.state_purpose()
        answers = {path: (await client.get(path, headers=HTML)) for path in PAGES}
        assert {path for path, answer in answers.items() if answer.status_code == 200} == may
        assert {answer.status_code for path, answer in answers.items() if path not in may} <= {404}
        for path, answer in answers.items():
            if answer.status_code == 200:
                linked = {name for name in PAGES if f'<a href="{name}"' in answer.text}
                assert linked == may, path


async def test_names_and_reasons_are_text(office: Office) -> None:
    client = await office.signed_in("viewer")
    await client.post("/v1/purposes", json={"category": "incident", "reason": "<img src=x onerror=alert(1)>"})
    answer = await client.get("/find", headers=HTML)
    assert "<img" not in answer.text
    assert "&lt;img" in answer.text


async def test_language_from_browser_and_by_choice(office: Office) -> None:
    client = office.client()
    answer = await client.get("/sign-in", headers=HTML | {"Accept-Language": "fi-FI,fi;q=0.9"})
    assert '<html lang="fi"' in answer.text
    assert "Kirjaudu sisään" in answer.text
    answer = await client.get("/sign-in?next=%2Ffind&lang=en", headers=HTML | {"Accept-Language": "fi"})
    assert (answer.status_code, answer.headers["location"]) == (303, "/sign-in?next=%2Ffind")
    answer = await client.get("/sign-in", headers=HTML | {"Accept-Language": "fi"})
    assert '<html lang="en"' in answer.text


async def test_what_is_not_there_is_a_page_for_people_and_a_problem_for_programs(office: Office) -> None:
    client = office.client()
    answer = await client.get("/nothing", headers=HTML)
    assert (answer.status_code, answer.headers["content-type"]) == (404, "text/html; charset=utf-8")
    answer = await client.get("/visit/not-a-uuid", headers=HTML)
    assert answer.status_code == 422
    assert "text/html" in answer.headers["content-type"]
    assert (await client.get("/v1/nothing", headers=HTML)).headers["content-type"] == "application/problem+json"
    assert (await client.get("/static/../routes.py")).status_code == 404
    assert (await client.get("/static/%2e%2e/routes.py")).status_code == 404
    assert (await client.get("/static/tallenne.css")).headers["cache-control"] == "no-cache"

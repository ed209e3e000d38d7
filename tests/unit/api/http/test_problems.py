"""Our own errors as answers: what is away, what may not be seen, and nothing of what the error says."""

from __future__ import annotations

import json
import logging

import httpx
import pytest
from fastapi import FastAPI, Query
from starlette.exceptions import HTTPException

from api.http.problems import MEDIA_TYPE, Problem, declared, install, no_footage, not_found, of_error
from custodian.errors import LookRefusedError
from domain.errors import MisuseError, PeerError, RetryableError, TallenneError


@pytest.mark.parametrize(
    ("error", "status", "code", "level"),
    [
        (RetryableError("secret /path", "x"), 503, "away", logging.WARNING),
        (LookRefusedError("secret /path", "x"), 404, "not-found", None),
        (MisuseError("secret /path", "x"), 500, "mistake", logging.ERROR),
        (PeerError("secret /path", "x"), 500, "mistake", logging.ERROR),
    ],
)
def test_text_of_an_error_goes_to_the_log_only(
    error: TallenneError, status: int, code: str, level: int | None, caplog: pytest.LogCaptureFixture
) -> None:
    problem = of_error(error)
    assert (problem.status, problem.code) == (status, code)
    assert b"secret" not in problem.response().body
    assert [record.levelno for record in caplog.records] == ([] if level is None else [level])
    assert ("Retry-After" in (problem.headers or {})) is (status == 503)


def test_problem_is_an_answer_by_rfc_9457_with_its_code_in_a_header_too() -> None:
    response = Problem(429, "busy", "Too much.", "Wait.", headers={"Retry-After": "3"}).response(fields={"a": "b"})
    assert json.loads(response.body) == {
        "type": "urn:tallenne:busy",
        "title": "Too much.",
        "status": 429,
        "remedy": "Wait.",
        "fields": {"a": "b"},
    }
    assert response.headers["content-type"] == MEDIA_TYPE
    assert (response.headers["tallenne-problem"], response.headers["retry-after"]) == ("busy", "3")


def test_declared_problems_are_those_of_the_route_and_those_of_every_route() -> None:
    assert [*declared()] == [400, 403, 413, 422, 500, 503]
    assert {401, 404} <= declared(404, 401).keys()
    assert (not_found().status, no_footage().status) == (404, 404)


@pytest.fixture
def app() -> FastAPI:
    app = FastAPI()
    install(app)

    @app.get("/number")
    async def number(value: int = Query()) -> int:
        return value

    @app.get("/teapot")
    async def teapot() -> None:
        raise HTTPException(418)

    @app.get("/bug")
    async def bug() -> None:
        raise ZeroDivisionError("secret")

    return app


@pytest.mark.parametrize(
    ("method", "address", "status", "code"),
    [
        ("GET", "/nothing", 404, "not-found"),
        ("POST", "/number", 405, "method"),
        ("GET", "/teapot", 418, "request"),
        ("GET", "/number?value=secret", 422, "invalid"),
        ("GET", "/bug", 500, "mistake"),
    ],
)
async def test_every_answer_that_is_not_the_one_asked_for_is_a_problem(
    app: FastAPI, method: str, address: str, status: int, code: str
) -> None:
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
        answer = await client.request(method, address)
    assert (answer.status_code, answer.headers["content-type"]) == (status, MEDIA_TYPE)
    assert answer.json()["type"] == f"urn:tallenne:{code}"
    assert "secret" not in answer.text
    assert set(answer.json().get("fields", {})) == ({"query.value"} if status == 422 else set())

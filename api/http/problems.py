"""Error answers: application/problem+json (RFC 9457) with a ``remedy``.

``type`` is ``urn:tallenne:<code>``, by which the pages translate. Forbidden things answer like missing ones.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, Final

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException

from custodian.errors import LookRefusedError, RestrictedError
from domain.errors import MisuseError, RetryableError, TallenneError

_log = logging.getLogger(__name__)
MEDIA_TYPE: Final = "application/problem+json"


class ProblemBody(BaseModel):
    """The shape of a problem."""

    type: str = Field(examples=["urn:tallenne:not-found"])
    title: str
    status: int
    remedy: str
    fields: dict[str, str] | None = None


class Problem(HTTPException):
    """Raised anywhere in a route; the answer is made from it."""

    def __init__(
        self, status: int, code: str, title: str, remedy: str = "", *, headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(status, title, dict(headers or {}))
        self.status = status
        self.code = code
        self.title = title
        self.remedy = remedy

    def response(self, **more: Any) -> Response:
        """Return the answer as application/problem+json; `more` adds members to the body."""
        body = {
            "type": f"urn:tallenne:{self.code}",
            "title": self.title,
            "status": self.status,
            "remedy": self.remedy,
            **more,
        }
        # In a header too: the answer to a HEAD has no body.
        headers = {**(self.headers or {}), "Tallenne-Problem": self.code}
        return JSONResponse(body, status_code=self.status, headers=headers, media_type=MEDIA_TYPE)


def not_found() -> Problem:
    """Return problem 404, the same for missing things and for those that the person may not see."""
    return Problem(404, "not-found", "It does not exist, or you may not see it.", "Check the address.")


def no_footage() -> Problem:
    """Return problem 404 for a span in which no footage can be shown."""
    return Problem(
        404, "no-footage", "There is no footage in this span.", "The camera's timeline shows the gaps and why."
    )


def declared(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """``responses=`` of a route: the problems it may answer with, for the OpenAPI document."""
    content = {MEDIA_TYPE: {"schema": ProblemBody.model_json_schema()}}
    every = {400, 403, 413, 422, 500, 503, *statuses}
    return {status: {"description": HTTPStatus(status).phrase, "content": content} for status in sorted(every)}


def install(app: FastAPI) -> None:
    """Have ``app`` answer every exception as a problem."""
    app.add_exception_handler(Problem, _on_problem)
    app.add_exception_handler(RequestValidationError, _on_invalid)
    app.add_exception_handler(HTTPException, _on_http)
    app.add_exception_handler(TallenneError, _on_error)
    app.add_exception_handler(Exception, _on_mistake)


def _answer(request: Request, problem: Problem, **more: Any) -> Response:
    """Answer people with a page and programs with JSON."""
    as_page = getattr(request.app.state, "problem_page", None)
    return (as_page and as_page(request, problem)) or problem.response(**more)


async def _on_problem(request: Request, exc: Exception) -> Response:
    assert isinstance(exc, Problem)
    return _answer(request, exc)


async def _on_invalid(request: Request, exc: Exception) -> Response:
    """Names the fields, never repeats their contents: a password may be among them."""
    assert isinstance(exc, RequestValidationError)
    fields = {".".join(str(part) for part in error["loc"]): str(error["msg"]) for error in exc.errors()}
    problem = Problem(422, "invalid", "The request is invalid.", "Correct the named fields.")
    return _answer(request, problem, fields=fields)


async def _on_http(request: Request, exc: Exception) -> Response:
    assert isinstance(exc, HTTPException)
    if exc.status_code == 404:
        return _answer(request, not_found())
    if exc.status_code == 405:
        problem = Problem(405, "method", "This address does not support that method.", "", headers=exc.headers)
        return _answer(request, problem)
    phrase = HTTPStatus(exc.status_code).phrase
    return _answer(request, Problem(exc.status_code, "request", f"{phrase}.", "", headers=exc.headers))


async def _on_error(request: Request, exc: Exception) -> Response:
    assert isinstance(exc, TallenneError)
    return _answer(request, of_error(exc))


def of_error(exc: TallenneError) -> Problem:
    """Answer one of our own errors. Its text may name internal files and addresses, so it goes to the log only."""
    if isinstance(exc, LookRefusedError):
        return not_found()
    if isinstance(exc, RestrictedError):  # only those who may see the footage come so far
        return Problem(403, "restricted", exc.what, exc.remedy)
    if isinstance(exc, RetryableError):
        _log.warning("answered 503: %s", exc)
        return Problem(
            503,
            "away",
            "A part of Tallenne is unavailable at present. Recording continues.",
            "Try again soon; if it persists, tell your administrator.",
            headers={"Retry-After": "5"},
        )
    if isinstance(exc, MisuseError):
        _log.error("answered 500: %s", exc)
    else:
        _log.error("answered 500 (%s): %s", type(exc).__name__, exc)
    return Problem(
        500,
        "mistake",
        "Tallenne could not do this.",
        "Tell your administrator the time; the log of the serve role says what happened.",
    )


async def _on_mistake(_: Request, exc: Exception) -> Response:
    """A bug. Starlette logs the traceback after this answer."""
    return Problem(
        500,
        "mistake",
        "Tallenne failed unexpectedly.",
        "Tell your administrator the time; the log of the serve role says what happened.",
    ).response()

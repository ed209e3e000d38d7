"""The members' pages: a frame of their own, without the header, the menu and the scripts of staff."""

from __future__ import annotations

from functools import partial
from typing import Any, Final

from fastapi import APIRouter, FastAPI, Request
from fastapi.responses import RedirectResponse, Response

from api.http.problems import Problem, of_error
from api.members.room import Members, MembersDep
from api.members.sessions import COOKIE, find_session
from api.pages.language import chosen_language
from api.pages.rendering import page
from domain.errors import TallenneError

router = APIRouter(include_in_schema=False)
SIGN_IN: Final = "/me/sign-in"


@router.get("/me")
async def card(request: Request, room: MembersDep) -> Response:
    """Show what the register has of the member, and their consents."""
    return await _shown(request, room, "card")


@router.get("/me/visits")
async def visits(request: Request, room: MembersDep) -> Response:
    """Show the member's visits."""
    return await _shown(request, room, "visits")


@router.get("/me/looks")
async def looks(request: Request, room: MembersDep) -> Response:
    """Show when and why staff looked, and who received data."""
    return await _shown(request, room, "looks")


@router.get("/me/requests")
async def requests(request: Request, room: MembersDep) -> Response:
    """Show what the member has asked for, with the answers."""
    return await _shown(request, room, "requests")


@router.get(SIGN_IN)
async def sign_in(request: Request, room: MembersDep) -> Response:
    """Ask for the address, then for the code."""
    return chosen_language(request) or _page(request, room, "sign_in")


def install(app: FastAPI, room: Members) -> None:
    """Add the pages, where members have some, and show problems as pages to people."""
    if room.settings is not None:
        app.include_router(router)
    app.state.problem_page = partial(_problem_page, room)


async def _shown(request: Request, room: Members, name: str) -> Response:
    if chosen := chosen_language(request):
        return chosen
    try:
        session = await find_session(room, request.cookies.get(COOKIE))
    except TallenneError as exc:
        return _error(request, room, of_error(exc))
    if session is None:
        return RedirectResponse(SIGN_IN, status_code=303)
    return _page(request, room, name, csrf=session.csrf_token, here=name)


def _page(request: Request, room: Members, name: str, *, status: int = 200, csrf: str = "", **more: Any) -> Response:
    gym = "" if room.settings is None else room.settings.name
    context = {"gym": gym, "csrf": csrf, "code": "", **more}
    return page(request, f"me/{name}.html", default_language=room.default_language, status=status, **context)


def _error(request: Request, room: Members, problem: Problem) -> Response:
    code = problem.code if room.settings is not None else "members-off"
    shown = _page(request, room, "error", status=problem.status, code=code)
    shown.headers.update(problem.headers or {})
    return shown


def _problem_page(room: Members, request: Request, problem: Problem, **_: Any) -> Response | None:
    """Return the problem as a page; None: the client is a program."""
    if request.url.path.startswith("/v1") or "text/html" not in request.headers.get("accept", ""):
        return None
    return _error(request, room, problem)

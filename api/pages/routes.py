"""The addresses of the pages and who may see them: sign-in first, then a purpose, then the roles."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, Final
from urllib.parse import quote
from uuid import UUID

from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse, Response

from api.http.problems import Problem, of_error
from api.pages.language import chosen_language
from api.pages.rendering import page
from api.pages.settings import Pages, PagesDep
from api.register.levels import load_rights
from api.sign_in import rights
from api.sign_in.purposes import Category, latest_purpose
from api.sign_in.sessions import COOKIE as SESSION_COOKIE
from api.sign_in.sessions import Session, find_session
from domain.errors import TallenneError
from runtime import sql
from runtime.database import wrapped_errors
from storage.catalogue.audit import ACTIONS

router = APIRouter(include_in_schema=False)
_NAV: Final = {
    "find": rights.LOOK,
    "live": rights.LOOK,
    "exports": rights.APPROVE,
    "cases": rights.CASES,
    "erasures": rights.ERASE,
    "cameras": rights.INVENTORY,
    "members": rights.OPERATE,
    "requests": rights.OPERATE,
    "users": rights.OPERATE,
    "quarantine": rights.OPERATE,
    "retention": rights.AUDIT,
    "audit": rights.AUDIT,
}
_EVERYWHERE: Final = frozenset({"requests", "users", "quarantine", "retention"})
"""For those who administer everything."""
Handler = Callable[[Session], Awaitable[Response]]


@router.get("/")
async def front(request: Request, pages: PagesDep) -> Response:
    """Wherever this person's work begins."""

    async def go(session: Session) -> Response:
        first = next((name for name, roles in _NAV.items() if rights.has_any(session.grants, roles)), "nothing")
        return RedirectResponse(f"/{first}", status_code=303)

    return await _for_staff(request, pages, go)


@router.get("/sign-in")
async def sign_in(request: Request, pages: PagesDep) -> Response:
    """Show the sign-in page."""
    return chosen_language(request) or _page(request, pages, "sign_in.html")


@router.get("/purpose")
async def purpose(request: Request, pages: PagesDep) -> Response:
    """Ask for the purpose of what the person is about to look at."""

    async def show(session: Session) -> Response:
        """Render the page for a person who is signed in."""
        return await _frame(
            request,
            pages,
            session,
            "purpose.html",
            "find",
            rights.MEMBERS,
            categories=[each.value for each in Category],
        )

    return await _for_staff(request, pages, show)


@router.get("/find")
async def find(request: Request, pages: PagesDep) -> Response:
    """Show the search."""
    return await _after_purpose(request, pages, "find.html")


@router.get("/visit/{event_id}")
async def visit(request: Request, pages: PagesDep, event_id: UUID) -> Response:
    """Show the player at an event."""
    return await _after_purpose(request, pages, "player.html", event_id=str(event_id))


@router.get("/members/{member_id}")
async def member(request: Request, pages: PagesDep, member_id: UUID) -> Response:
    """Show all that one member did at the doors."""

    async def show(session: Session) -> Response:
        shown = {"member_id": str(member_id), "register": await _sees_register(pages, session)}
        return await _frame(request, pages, session, "member.html", "find", rights.LOOK, needs_purpose=True, **shown)

    return await _for_staff(request, pages, show)


@router.get("/register/{member_id}")
async def register_card(request: Request, pages: PagesDep, member_id: UUID) -> Response:
    """Show what the register holds of a member."""

    async def show(session: Session) -> Response:
        roles, shown = rights.MEMBERS, {"member_id": str(member_id)}
        return await _frame(request, pages, session, "register.html", "members", roles, needs_purpose=True, **shown)

    return await _for_staff(request, pages, show)


@router.get("/register-rights")
async def register_rights(request: Request, pages: PagesDep) -> Response:
    """Show and set what each role sees of the register."""

    async def show(session: Session) -> Response:
        return await _frame(request, pages, session, "register_rights.html", "users", _NAV["users"])

    return await _for_staff(request, pages, show)


@router.get("/play")
async def play(request: Request, pages: PagesDep) -> Response:
    """Cameras without an event: ?camera=...&camera=...&at=..."""
    return await _after_purpose(request, pages, "player.html", event_id="")


@router.get("/live")
async def live(request: Request, pages: PagesDep) -> Response:
    """Show cameras as they are now: one (?camera=...), or those of a site (?site=...)."""
    return await _plain(request, pages, "live", needs_purpose=True)


@router.get("/cameras")
async def cameras(request: Request, pages: PagesDep) -> Response:
    """Show the cameras and doors with their health."""
    return await _plain(request, pages, "cameras")


@router.get("/exports")
async def exports(request: Request, pages: PagesDep) -> Response:
    """Show the exports and the fingerprint of the key that signs them."""
    return await _plain(request, pages, "exports", export_key=pages.export_fingerprint)


@router.get("/exports/{export_id}")
async def export(request: Request, pages: PagesDep, export_id: UUID) -> Response:
    """Show one export: to who may decide about it with the clip, before they do."""

    async def show(session: Session) -> Response:
        roles = rights.APPROVE
        return await _frame(request, pages, session, "export.html", "exports", roles, export_id=str(export_id))

    return await _for_staff(request, pages, show)


@router.get("/cases")
async def cases(request: Request, pages: PagesDep) -> Response:
    """Show the cases, which keep footage past its retention."""
    return await _plain(request, pages, "cases", needs_purpose=True)


@router.get("/cases/{case_id}")
async def case(request: Request, pages: PagesDep, case_id: UUID) -> Response:
    """Show one case."""

    async def show(session: Session) -> Response:
        roles, shown = rights.CASES, {"case_id": str(case_id)}
        return await _frame(request, pages, session, "case.html", "cases", roles, needs_purpose=True, **shown)

    return await _for_staff(request, pages, show)


@router.get("/erasures")
async def erasures(request: Request, pages: PagesDep) -> Response:
    """Show the orders to erase footage before its time."""
    return await _plain(request, pages, "erasures", needs_purpose=True)


@router.get("/members")
async def members(request: Request, pages: PagesDep) -> Response:
    """Show the members' register: find a member, add one, who looked at their data."""

    async def show(session: Session) -> Response:
        """Render it, with what this person may do there."""
        shown = {
            "register": await _sees_register(pages, session),
            "everywhere": rights.has_everywhere(session.grants, rights.OPERATE),
        }
        roles = _NAV["members"]
        return await _frame(request, pages, session, "members.html", "members", roles, needs_purpose=True, **shown)

    return await _for_staff(request, pages, show)


async def _sees_register(pages: Pages, session: Session) -> bool:
    found = await load_rights(pages.records.pool)
    return any(found.get(grant.role) for grant in session.grants)


@router.get("/requests")
async def requests(request: Request, pages: PagesDep) -> Response:
    """Show the members' requests, what is due first before others."""
    return await _plain(request, pages, "requests", needs_purpose=True)


@router.get("/requests/{request_id}")
async def one_request(request: Request, pages: PagesDep, request_id: UUID) -> Response:
    """Show one request, and what can be done about it."""

    async def show(session: Session) -> Response:
        roles, shown = _NAV["requests"], {"request_id": str(request_id)}
        return await _frame(request, pages, session, "request.html", "requests", roles, needs_purpose=True, **shown)

    return await _for_staff(request, pages, show)


@router.get("/requests/{request_id}/copy")
async def copy(request: Request, pages: PagesDep, request_id: UUID) -> Response:
    """Show the copy of a member's data, to be printed; on record, with a fresh code."""

    async def show(session: Session) -> Response:
        roles, shown = _NAV["requests"], {"request_id": str(request_id)}
        return await _frame(request, pages, session, "copy.html", "requests", roles, needs_purpose=True, **shown)

    return await _for_staff(request, pages, show)


@router.get("/users")
async def users(request: Request, pages: PagesDep) -> Response:
    """Show the staff and their roles."""
    return await _plain(request, pages, "users")


@router.get("/quarantine")
async def quarantine(request: Request, pages: PagesDep) -> Response:
    """Show the messages and objects that were set aside."""
    return await _plain(request, pages, "quarantine")


@router.get("/retention")
async def retention(request: Request, pages: PagesDep) -> Response:
    """Show what is kept until when, and what has ended."""
    return await _plain(request, pages, "retention")


@router.get("/account")
async def account(request: Request, pages: PagesDep) -> Response:
    """Show one's own account."""

    async def show(session: Session) -> Response:
        purpose = await latest_purpose(pages.records, session)
        return _page(request, pages, "account.html", session=session, purpose=purpose, here="account")

    return await _for_staff(request, pages, show)


@router.get("/audit")
async def audit(request: Request, pages: PagesDep) -> Response:
    """Show the audit trail."""
    return await _plain(request, pages, "audit", actions=ACTIONS)


async def _plain(request: Request, pages: Pages, name: str, **context: Any) -> Response:
    """A page of the menu that needs no purpose."""

    async def show(session: Session) -> Response:
        return await _frame(request, pages, session, f"{name}.html", name, _NAV[name], **context)

    return await _for_staff(request, pages, show)


async def _after_purpose(request: Request, pages: Pages, template: str, **context: Any) -> Response:
    async def show(session: Session) -> Response:
        return await _frame(request, pages, session, template, "find", rights.LOOK, needs_purpose=True, **context)

    return await _for_staff(request, pages, show)


async def _for_staff(request: Request, pages: Pages, show: Handler) -> Response:
    if chosen := chosen_language(request):
        return chosen
    try:
        session = await find_session(pages.records, request.cookies.get(SESSION_COOKIE))
        if session is None:
            return RedirectResponse(f"/sign-in?next={quote(_here(request), safe='')}", status_code=303)
        return await show(session)
    except TallenneError as exc:
        return error_page(request, pages, of_error(exc))


async def _frame(
    request: Request,
    pages: Pages,
    session: Session,
    template: str,
    here: str,
    roles: tuple[str, ...],
    *,
    needs_purpose: bool = False,
    **context: Any,
) -> Response:
    everywhere = here in _EVERYWHERE
    if not (rights.has_everywhere if everywhere else rights.has_any)(session.grants, roles):
        return error_page(request, pages, Problem(404, "not-found", ""), session=session)
    purpose, zone = await latest_purpose(pages.records, session), await _only_zone(pages, session)
    if needs_purpose and purpose is None:
        return RedirectResponse(f"/purpose?next={quote(_here(request), safe='')}", status_code=303)
    return _page(request, pages, template, session=session, purpose=purpose, zone=zone, here=here, **context)


async def _only_zone(pages: Pages, session: Session) -> str:
    """The zone that all of the person's sites are in; else nothing, and what belongs to no site is in the browser's."""
    with wrapped_errors():
        rows = await pages.records.pool.fetch(sql.load("api.pages", "zones_of_staff"), session.staff_id)
    return str(rows[0]["time_zone"]) if len(rows) == 1 else ""


def error_page(request: Request, pages: Pages, problem: Problem, *, session: Session | None = None) -> Response:
    """Render a problem as a page; its code chooses the text."""
    shown = _page(request, pages, "error.html", status=problem.status, code=problem.code, session=session)
    shown.headers.update(problem.headers or {})
    return shown


def _page(request: Request, pages: Pages, template: str, **context: Any) -> Response:
    session: Session | None = context.get("session")
    may = frozenset(
        name
        for name, roles in _NAV.items()
        if session is not None
        and (rights.has_everywhere if name in _EVERYWHERE else rights.has_any)(session.grants, roles)
    )
    return page(request, template, default_language=pages.default_language, may=may, nav=tuple(_NAV), **context)


def _here(request: Request) -> str:
    return request.url.path + (f"?{request.url.query}" if request.url.query else "")

"""Members sign in by a code that their mailbox receives, and out. One answer for every address and every failure."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response

from api.http.problems import declared
from api.members.codes import GOOD_NS, ask_sign_in, checked_email, take, wrong_code
from api.members.room import MembersDep
from api.members.sessions import (
    ABSOLUTE_NS,
    COOKIE,
    IDLE_NS,
    MemberLeaving,
    csrf_of,
    drop_cookie,
    end_session,
    record,
    set_cookie,
    start_session,
)
from api.members.shapes import AskedAnswer, CodeBody, EmailBody, SessionAnswer, SignOutBody
from api.pages.language import language_of
from domain.time import NS, to_iso
from runtime import sql
from runtime.database import wrapped_errors
from storage.catalogue import audit

router = APIRouter(prefix="/v1/me", tags=["session"])


@router.post("/sign-in/code", status_code=202, responses=declared(429))
async def ask_code(body: EmailBody, request: Request, room: MembersDep) -> AskedAnswer:
    """Send a code to this address, if a member has it. The answer is the same in any case."""
    email = checked_email(room, body.email)
    await room.begin(room.code_to(email), room.network("ask", request))
    token = await ask_sign_in(room, email, language_of(request, room.default_language))
    return AskedAnswer(request=token, seconds=GOOD_NS // NS)


@router.post("/sign-in", responses=declared(401, 429))
async def sign_in(body: CodeBody, request: Request, response: Response, room: MembersDep) -> SessionAnswer:
    """The code for a session cookie."""
    attempt = room.network("code", request)
    await room.begin(attempt)
    now_ns = room.records.clock_ns()
    token = None
    with wrapped_errors():
        async with room.records.pool.acquire() as conn, conn.transaction():
            taken = await take(room, conn, "sign_in", body.request, body.code.get_secret_value(), now_ns)
            if taken is None:
                await audit.append_in(conn, audit.Entry(actor="nobody", action="member_sign_in_failed"), now_ns)
            else:
                member_id, email_hash, _ = taken
                if old := request.cookies.get(COOKIE):
                    await end_session(room, conn, old, now_ns)
                token, session_id = await start_session(room, conn, member_id, email_hash, now_ns)
                entry = audit.Entry(
                    actor=f"member:{member_id}", action="member_sign_in", session_id=session_id, member_id=member_id
                )
                await audit.append_in(conn, entry, now_ns)
    if token is None:
        raise wrong_code()
    # Not of the address: that it may have codes again would show that it is a member's.
    for each in (attempt, room.network("ask", request)):
        await room.throttle.take_back(each.key)
    set_cookie(response, token)
    return SessionAnswer(csrf_token=csrf_of(token), expires=to_iso(now_ns + ABSOLUTE_NS), idle_seconds=IDLE_NS // NS)


@router.post("/sign-out", status_code=204, responses=declared(401))
async def sign_out(
    body: SignOutBody, request: Request, response: Response, room: MembersDep, session: MemberLeaving
) -> None:
    """End this session, or all of this member's."""
    now_ns = room.records.clock_ns()
    with wrapped_errors():
        async with room.records.pool.acquire() as conn, conn.transaction():
            if body.everywhere:
                await conn.execute(sql.load("api.members", "sessions_end_all"), session.member_id, now_ns)
            else:
                await end_session(room, conn, request.cookies[COOKIE], now_ns)
            await record(room, conn, session, "member_sign_out", {"everywhere": body.everywhere})
    drop_cookie(response)

"""Members' sessions: a cookie of their own, of which a keyed hash is stored. One of staff opens none, nor the reverse.

A session ends by idling, by age, by signing out, and at once when the link to the person is erased, or when the
register has another address than the one that opened it.
"""

from __future__ import annotations

import hmac
import secrets
import uuid
from dataclasses import dataclass, field
from typing import Annotated, Any, Final

import asyncpg
from fastapi import Depends, Request, Response, Security
from fastapi.security import APIKeyCookie

from api.credentials.csrf import require_token, token_of
from api.http.problems import Problem
from api.members.room import Members, MembersDep
from domain.ids import MemberId, SessionId
from domain.time import HOUR_NS, MINUTE_NS, NS
from runtime import sql
from runtime.database import wrapped_errors
from storage.catalogue import audit

COOKIE: Final = "__Host-tallenne-member"
IDLE_NS: Final = 15 * MINUTE_NS
ABSOLUTE_NS: Final = 8 * HOUR_NS
_TOUCH_NS: Final = 10 * NS
_PACKAGE: Final = "api.members"
_cookie = APIKeyCookie(name=COOKIE, auto_error=False, description="Set by POST /v1/me/sign-in.")


@dataclass(frozen=True, slots=True, kw_only=True)
class MemberSession:
    """A session of a member. ``repr`` leaves the personal data out."""

    session_id: SessionId
    member_id: MemberId
    number: str = field(repr=False)
    name: str = field(repr=False)
    email: str = field(repr=False)
    csrf_token: str = field(repr=False)
    created_ns: int

    @property
    def actor(self) -> str:
        """The member as audit entries name them."""
        return f"member:{self.member_id}"


async def find_session(room: Members, token: str | None) -> MemberSession | None:
    """The session of a cookie, touched; None when there is none, or it has ended."""
    if not token:
        return None
    records, now_ns = room.records, room.records.clock_ns()
    limits = (now_ns - ABSOLUTE_NS, now_ns - IDLE_NS)
    with wrapped_errors():
        row = await records.pool.fetchrow(sql.load(_PACKAGE, "session_find"), records.hash_cookie(token), *limits)
        if row is None or not hmac.compare_digest(row["email_hash"], room.email_hash(row["email"])):
            return None
        if now_ns - row["seen_ns"] > _TOUCH_NS:
            await records.pool.execute(sql.load(_PACKAGE, "session_touch"), row["session_id"], now_ns)
    return MemberSession(
        session_id=SessionId(row["session_id"]),
        member_id=MemberId(row["member_id"]),
        number=row["number"],
        name=row["name"],
        email=row["email"],
        csrf_token=csrf_of(token),
        created_ns=row["created_ns"],
    )


async def member_leaving(
    request: Request, room: MembersDep, token: Annotated[str | None, Security(_cookie)] = None
) -> MemberSession:
    """The session, or 401; on methods that change something also 403 without the session's own token."""
    session = await find_session(room, token)
    if session is None:
        raise not_signed_in()
    require_token(request, session.csrf_token)
    return session


async def member_signed_in(
    room: MembersDep, session: Annotated[MemberSession, Depends(member_leaving)]
) -> MemberSession:
    """The same, and the request is counted: 429 beyond the limit. Leaving is not."""
    await room.count(session.member_id)
    return session


MemberLeaving = Annotated[MemberSession, Depends(member_leaving)]
MemberSignedIn = Annotated[MemberSession, Depends(member_signed_in)]


def not_signed_in() -> Problem:
    """Return problem 401: there is no session, or it has ended."""
    return Problem(401, "sign-in-needed", "You are not signed in.", "Sign in with a code by e-mail.")


async def start_session(
    room: Members, conn: asyncpg.Connection, member_id: MemberId, email_hash: bytes, now_ns: int
) -> tuple[str, SessionId]:
    """Start a session after a code was shown; return (cookie, id). The cookie is always a new one.

    Problem 401: the link to the person was erased meanwhile.
    """
    token, session_id = secrets.token_urlsafe(32), SessionId(uuid.uuid4())
    values = (session_id, room.records.hash_cookie(token), member_id, email_hash, now_ns)
    if not await conn.fetchval(sql.load(_PACKAGE, "session_start"), *values):
        raise not_signed_in()
    return token, session_id


async def end_session(room: Members, conn: asyncpg.Connection, token: str, now_ns: int) -> None:
    """End the session of a cookie; without such a session nothing changes."""
    await conn.execute(sql.load(_PACKAGE, "session_end"), room.records.hash_cookie(token), now_ns)


async def record(
    room: Members,
    conn: asyncpg.Pool | asyncpg.Connection,
    session: MemberSession,
    action: str,
    detail: dict[str, Any] | None = None,
) -> None:
    """Put what a member does on record, durable on return or with the caller's transaction: ids and kinds, no value."""
    entry = audit.Entry(
        actor=session.actor,
        action=action,
        session_id=session.session_id,
        member_id=session.member_id,
        detail=detail or {},
    )
    await audit.append(conn, entry, room.records.clock_ns())


def set_cookie(response: Response, token: str) -> None:
    """``__Host-``: this host only, this path, and never without TLS."""
    response.set_cookie(COOKIE, token, path="/", secure=True, httponly=True, samesite="strict")


def drop_cookie(response: Response) -> None:
    """Delete the session's cookie in the browser."""
    response.delete_cookie(COOKIE, path="/", secure=True, httponly=True, samesite="strict")


def csrf_of(token: str) -> str:
    """The token that requests with this cookie carry in a header: derived from it, and therefore stored nowhere."""
    return token_of(token, b"tallenne/1 member csrf")

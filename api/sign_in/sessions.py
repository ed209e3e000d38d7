"""Sessions: a random cookie, of which only a keyed hash is stored; ended by idling, by age and by signing out."""

from __future__ import annotations

import json
import secrets
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Annotated, Final

import asyncpg
from fastapi import Depends, Request, Response, Security
from fastapi.security import APIKeyCookie

from api.credentials.csrf import require_token, token_of
from api.http.problems import Problem, not_found
from api.records import Records, RecordsDep
from api.sign_in import rights
from domain.ids import CameraId, SessionId, StaffId
from domain.time import HOUR_NS, MINUTE_NS, NS, Span
from runtime import sql
from runtime.database import wrapped_errors

COOKIE: Final = "__Host-tallenne"
IDLE_NS: Final = 15 * MINUTE_NS
ABSOLUTE_NS: Final = 12 * HOUR_NS
STEP_UP_NS: Final = 5 * MINUTE_NS
"""The custodian holds footage to the same limits by itself (staff_may)."""
_TOUCH_NS: Final = 10 * NS
cookie_scheme = APIKeyCookie(name=COOKIE, auto_error=False, description="Set by POST /v1/sign-in.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """A session of a person who signed in with both factors."""

    session_id: SessionId
    staff_id: StaffId
    user_name: str
    display_name: str
    csrf_token: str = field(repr=False)
    created_ns: int
    stepped_up_ns: int
    grants: tuple[rights.Grant, ...]

    @property
    def actor(self) -> str:
        """The person as audit entries name them."""
        return f"staff:{self.staff_id}"

    def stepped_up(self, now_ns: int) -> bool:
        """Whether a second factor was shown lately enough for an export."""
        return now_ns - self.stepped_up_ns < STEP_UP_NS


async def find_session(records: Records, token: str | None, *, touch: bool = True) -> Session | None:
    """The session of a cookie, touched; None when there is none, or it has ended.

    touch: it is a person who asks, which keeps the session from ending by idling
    """
    if not token:
        return None
    now_ns = records.clock_ns()
    with wrapped_errors():
        row = await records.pool.fetchrow(
            sql.load("api.sign_in", "session_find"), records.hash_cookie(token), now_ns - ABSOLUTE_NS, now_ns - IDLE_NS
        )
        if touch and row is not None and now_ns - row["seen_ns"] > _TOUCH_NS:
            await records.pool.execute(sql.load("api.sign_in", "session_touch"), row["session_id"], now_ns)
    return None if row is None else _session(row, csrf_of(token))


async def still_may(
    records: Records, session_id: SessionId, roles: tuple[str, ...], camera_ids: Sequence[CameraId], span: Span
) -> bool:
    """Whether a session that began to see these cameras' footage of ``span`` may go on.

    It may not once the session has ended in any way, a right is gone, or a restriction covers some of the footage.

    A long answer does not show that the person is still there: the session goes idle all the same.
    Raises the errors of runtime.database.
    """
    now_ns = records.clock_ns()
    query = sql.load("api.sign_in", "session_may")
    with wrapped_errors():
        return bool(
            await records.pool.fetchval(
                query,
                session_id,
                now_ns - ABSOLUTE_NS,
                now_ns - IDLE_NS,
                list(roles),
                list(camera_ids),
                span.start_ns,
                span.end_ns,
            )
        )


def _session(row: asyncpg.Record, csrf_token: str) -> Session:
    return Session(
        session_id=SessionId(row["session_id"]),
        staff_id=StaffId(row["staff_id"]),
        user_name=row["user_name"],
        display_name=row["display_name"],
        csrf_token=csrf_token,
        created_ns=row["created_ns"],
        stepped_up_ns=row["stepped_up_ns"],
        grants=tuple(
            rights.Grant(role=role, site_id=_uuid(site_id), camera_id=_uuid(camera_id))
            for role, site_id, camera_id in json.loads(row["grants"])
        ),
    )


async def signed_in(
    request: Request, records: RecordsDep, token: Annotated[str | None, Security(cookie_scheme)] = None
) -> Session:
    """The session, or 401; on methods that change something also 403 without the session's own token."""
    session = await find_session(records, token)
    if session is None:
        raise not_signed_in()
    require_token(request, session.csrf_token)
    return session


SignedIn = Annotated[Session, Depends(signed_in)]


async def watching(records: RecordsDep, token: Annotated[str | None, Security(cookie_scheme)] = None) -> Session:
    """The session of a page that asks by itself, or 401. For GET only. It does not keep the session alive."""
    session = await find_session(records, token, touch=False)
    if session is None:
        raise not_signed_in()
    return session


Watching = Annotated[Session, Depends(watching)]


def not_signed_in() -> Problem:
    """Return problem 401: there is no session, or it has ended."""
    return Problem(401, "sign-in-needed", "You are not signed in.", "Sign in with your password and a code.")


def require(session: Session, roles: tuple[str, ...]) -> None:
    """404 unless one of ``roles`` is held somewhere."""
    if not rights.has_any(session.grants, roles):
        raise not_found()


def require_step_up(records: Records, session: Session) -> None:
    """403 unless a second factor was shown within the last five minutes."""
    if not session.stepped_up(records.clock_ns()):
        raise Problem(403, "step-up-needed", "This needs a fresh code.", "Send one to POST /v1/step-up.")


async def start_session(
    conn: asyncpg.Connection, staff_id: StaffId, now_ns: int, hash_cookie: Callable[[str], bytes]
) -> tuple[str, SessionId]:
    """Start a session after both factors were shown; return (cookie, id). The cookie is always a new one."""
    token, session_id = secrets.token_urlsafe(32), SessionId(uuid.uuid4())
    query = sql.load("api.sign_in", "session_start")
    await conn.execute(query, session_id, hash_cookie(token), staff_id, now_ns)
    return token, session_id


async def end_session(conn: asyncpg.Connection, token_hash: bytes, now_ns: int) -> None:
    """End the session of a cookie; without such a session nothing changes."""
    await conn.execute(sql.load("api.sign_in", "session_end"), token_hash, now_ns)


def set_cookie(response: Response, token: str) -> None:
    """``__Host-``: this host only, this path, and never without TLS."""
    response.set_cookie(COOKIE, token, path="/", secure=True, httponly=True, samesite="strict")


def drop_cookie(response: Response) -> None:
    """Delete the session's cookie in the browser."""
    response.delete_cookie(COOKIE, path="/", secure=True, httponly=True, samesite="strict")


def csrf_of(token: str) -> str:
    """The token that requests with this cookie carry in a header: derived from it, and therefore stored nowhere."""
    return token_of(token, b"tallenne/1 csrf")


def _uuid(text: str | None) -> uuid.UUID | None:
    return None if text is None else uuid.UUID(text)

"""Signing in and out, and showing the second factor again. One answer for every failure, after the same work."""

from __future__ import annotations

import re
import uuid
from typing import Annotated, Any, Final

import asyncpg
from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, ConfigDict, Field, SecretStr, StringConstraints

from api.credentials import second_factor
from api.credentials.factors import Factors, FactorsDep
from api.credentials.secret_key import SecretKey
from api.credentials.throttle import PER_ADDRESS, PER_USER, Attempt
from api.http.connection_limit import network_of
from api.http.problems import Problem, declared
from api.records import Records, RecordsDep
from api.sign_in.purposes import PurposeAnswer, latest_purpose
from api.sign_in.sessions import (
    ABSOLUTE_NS,
    COOKIE,
    IDLE_NS,
    STEP_UP_NS,
    Session,
    SignedIn,
    drop_cookie,
    end_session,
    find_session,
    not_signed_in,
    set_cookie,
    start_session,
)
from domain.ids import StaffId
from domain.time import NS, to_iso
from runtime import sql
from runtime.database import wrapped_errors
from storage.catalogue import audit

router = APIRouter(prefix="/v1", tags=["session"])
_USER_NAME: Final = re.compile(r"[a-z0-9._@+-]{1,64}")
_DUMMY_SECRET: Final = "A" * 32


class SignInBody(BaseModel):
    """Both factors."""

    model_config = ConfigDict(extra="forbid")
    user_name: Annotated[str, StringConstraints(max_length=64)]
    password: Annotated[SecretStr, Field(max_length=256)]
    code: Annotated[SecretStr, Field(max_length=40, description="Six digits, or a recovery code.")]


class StepUpBody(BaseModel):
    """A fresh second factor for exports and administration."""

    model_config = ConfigDict(extra="forbid")
    code: Annotated[SecretStr, Field(max_length=40, description="Six digits, or a recovery code.")]


class SignOutBody(BaseModel):
    """`everywhere` ends the person's sessions in all browsers."""

    model_config = ConfigDict(extra="forbid")
    everywhere: bool = False


class SessionAnswer(BaseModel):
    """Who is signed in, until when, and for what purpose."""

    staff_id: uuid.UUID
    user_name: str
    display_name: str
    roles: list[str]
    csrf_token: str = Field(description="To be sent as X-CSRF-Token with every POST, PUT and DELETE.")
    expires: str
    idle_seconds: int
    stepped_up_until: str | None
    purpose: PurposeAnswer | None


@router.post("/sign-in", responses=declared(401, 429))
async def sign_in(
    body: SignInBody, request: Request, response: Response, records: RecordsDep, factors: FactorsDep
) -> SessionAnswer:
    """Password and code for a session cookie."""
    name = body.user_name.strip().lower()
    attempts = (
        Attempt(key=factors.key.throttle_key("user", name), limit=PER_USER),
        Attempt(key=factors.key.throttle_key("address", _address(request)), limit=PER_ADDRESS),
    )
    await _begin(factors, attempts, records.clock_ns())
    row = await _staff_row(records, name)
    matching = await factors.passwords.matches(
        body.password.get_secret_value(), None if row is None else row["password_hash"]
    )
    now_ns = records.clock_ns()
    with wrapped_errors():
        async with records.pool.acquire() as conn, conn.transaction():
            factor = await _take_code(conn, factors.key, row, body.code.get_secret_value(), matching, now_ns)
            if row is None or factor is None:
                await audit.append_in(conn, _failed(row), now_ns)
                token = None
            else:
                staff_id = StaffId(row["staff_id"])
                if old := request.cookies.get(COOKIE):
                    await end_session(conn, records.hash_cookie(old), now_ns)
                token, session_id = await start_session(conn, staff_id, now_ns, records.hash_cookie)
                entry = audit.Entry(
                    actor=f"staff:{staff_id}", action="sign_in", session_id=session_id, detail={"factor": factor}
                )
                await audit.append_in(conn, entry, now_ns)
    if token is None:
        raise Problem(
            401,
            "sign-in-failed",
            "User name, password and code do not match.",
            "Check all three; each code works once, so wait for the next one.",
        )
    await factors.throttle.forgive(attempts[0].key)
    await factors.throttle.take_back(attempts[1].key)
    session = await find_session(records, token)
    if session is None:
        raise not_signed_in()  # a change of the account has ended it already
    set_cookie(response, token)
    return await _answer(records, session)


@router.get("/session", responses=declared(401))
async def session(records: RecordsDep, session: SignedIn) -> SessionAnswer:
    """Who is signed in."""
    return await _answer(records, session)


@router.post("/sign-out", status_code=204, responses=declared(401))
async def sign_out(body: SignOutBody, response: Response, records: RecordsDep, session: SignedIn) -> None:
    """End this session, or all of this person's."""
    now_ns = records.clock_ns()
    name = "sessions_end_all" if body.everywhere else "session_end_one"
    with wrapped_errors():
        async with records.pool.acquire() as conn, conn.transaction():
            target = session.staff_id if body.everywhere else session.session_id
            await conn.execute(sql.load("api.sign_in", name), target, now_ns)
            detail = {"everywhere": body.everywhere}
            entry = audit.Entry(actor=session.actor, action="sign_out", session_id=session.session_id, detail=detail)
            await audit.append_in(conn, entry, now_ns)
    drop_cookie(response)


@router.post("/step-up", responses=declared(401, 429))
async def step_up(body: StepUpBody, records: RecordsDep, factors: FactorsDep, session: SignedIn) -> SessionAnswer:
    """Show the second factor again: good for exports during the next five minutes."""
    attempt = Attempt(key=factors.key.throttle_key("step-up", str(session.staff_id)), limit=PER_USER)
    await _begin(factors, (attempt,), records.clock_ns())
    row = await _staff_row(records, session.user_name)
    now_ns = records.clock_ns()
    with wrapped_errors():
        async with records.pool.acquire() as conn, conn.transaction():
            factor = await _take_code(conn, factors.key, row, body.code.get_secret_value(), True, now_ns)
            if factor is not None:
                query = sql.load("api.sign_in", "session_step_up")
                if not await conn.fetchval(query, session.session_id, now_ns):
                    raise not_signed_in()  # ended while the request was under way
            action = "step_up_failed" if factor is None else "step_up"
            entry = audit.Entry(actor=session.actor, action=action, session_id=session.session_id)
            await audit.append_in(conn, entry, now_ns)
    if factor is None:
        raise Problem(403, "code-refused", "The code is wrong, or was used already.", "Wait for the next code.")
    await factors.throttle.forgive(attempt.key)
    return await _answer(records, session, stepped_up_ns=now_ns)


async def _begin(factors: Factors, attempts: tuple[Attempt, ...], now_ns: int) -> None:
    wait_ns = await factors.throttle.begin(attempts, now_ns)
    if wait_ns:
        seconds = -(-wait_ns // NS)
        raise Problem(
            429,
            "too-many",
            "Too many failed attempts.",
            f"Wait {seconds} seconds and try once more.",
            headers={"Retry-After": str(seconds)},
        )


async def _staff_row(records: Records, name: str) -> asyncpg.Record | None:
    wanted = name if _USER_NAME.fullmatch(name) else ""
    with wrapped_errors():
        return await records.pool.fetchrow(sql.load("api.credentials", "staff_by_name"), wanted)


async def _take_code(
    conn: asyncpg.Connection, key: SecretKey, row: asyncpg.Record | None, code: str, allowed: bool, now_ns: int
) -> str | None:
    """Use up the code: "totp", "recovery_code", or None. The same statements run when the user name is unknown."""
    staff_id = StaffId(uuid.UUID(int=0) if row is None else row["staff_id"])
    typed = second_factor.normal_code(code)
    password_hash = "" if row is None else row["password_hash"]
    if second_factor.is_totp_code(typed):
        sealed = None if row is None else row["totp_secret"]
        secret = _DUMMY_SECRET if sealed is None else key.open_totp(staff_id, sealed)
        step = second_factor.matching_step(secret, typed, now_ns)
        good = allowed and sealed is not None and step is not None
        taken = await conn.fetchval(
            sql.load("api.sign_in", "totp_take"), staff_id, step or 0, good, password_hash, sealed
        )
        return "totp" if taken else None
    code_hash = key.hash_code(staff_id, typed)
    arguments = (staff_id, code_hash, now_ns, allowed, password_hash)
    taken = await conn.fetchval(sql.load("api.sign_in", "recovery_code_take"), *arguments)
    return "recovery_code" if taken else None


async def _answer(records: Records, session: Session, *, stepped_up_ns: int | None = None) -> SessionAnswer:
    until_ns = (session.stepped_up_ns if stepped_up_ns is None else stepped_up_ns) + STEP_UP_NS
    return SessionAnswer(
        staff_id=session.staff_id,
        user_name=session.user_name,
        display_name=session.display_name,
        roles=sorted({grant.role for grant in session.grants}),
        csrf_token=session.csrf_token,
        expires=to_iso(session.created_ns + ABSOLUTE_NS),
        idle_seconds=IDLE_NS // NS,
        stepped_up_until=to_iso(until_ns) if until_ns > records.clock_ns() else None,
        purpose=await latest_purpose(records, session),
    )


def _failed(row: Any) -> audit.Entry:
    actor = "nobody" if row is None else f"staff:{row['staff_id']}"
    return audit.Entry(actor=actor, action="sign_in_failed")


def _address(request: Request) -> str:
    """The client's network, under which failed attempts are counted."""
    return network_of(request.client.host) if request.client else ""

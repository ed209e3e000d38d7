"""One's own account: a new password, new recovery codes."""

from __future__ import annotations

from fastapi import APIRouter

from api.credentials import second_factor
from api.credentials.accounts import code_hashes
from api.credentials.factors import FactorsDep
from api.credentials.passwords import check_new
from api.credentials.throttle import PER_USER, Attempt
from api.errors import StaffRefusedError
from api.http.problems import Problem, declared
from api.records import RecordsDep
from api.sign_in.sessions import SignedIn, require_step_up
from api.staff.changing import changing
from api.staff.shapes import CodesAnswer, OwnPasswordBody
from runtime import sql
from runtime.database import wrapped_errors
from storage.catalogue import audit

router = APIRouter(prefix="/v1", tags=["session"])


@router.post("/password", status_code=204, responses=declared(401, 429))
async def change_password(body: OwnPasswordBody, records: RecordsDep, factors: FactorsDep, session: SignedIn) -> None:
    """Change one's password. Needs the present one and a fresh code; one's other sessions end."""
    require_step_up(records, session)
    attempt = Attempt(key=factors.key.throttle_key("password", str(session.staff_id)), limit=PER_USER)
    if await factors.throttle.begin((attempt,), records.clock_ns()):
        raise Problem(429, "too-many", "Too many failed attempts.", "Wait a while.", headers={"Retry-After": "60"})
    with wrapped_errors():
        row = await records.pool.fetchrow(sql.load("api.credentials", "staff_by_name"), session.user_name)
    stored = None if row is None else row["password_hash"]
    if not await factors.passwords.matches(body.current.get_secret_value(), stored):
        raise _another_password()
    await factors.throttle.forgive(attempt.key)  # it was right, whatever the new one is
    password = body.password.get_secret_value()
    try:
        check_new(password, session.user_name)
    except StaffRefusedError as exc:
        raise Problem(422, "staff-refused", exc.what, exc.remedy) from None
    password_hash, now_ns = await factors.passwords.hash(password), records.clock_ns()
    async with changing(records, session) as conn:
        arguments = (session.staff_id, password_hash, stored)
        if not await conn.fetchval(sql.load("api.staff", "staff_own_password"), *arguments):
            raise _another_password()  # set by an administrator while this request was under way
        await conn.execute(sql.load("api.staff", "sessions_end_others"), session.staff_id, now_ns, session.session_id)
        entry = audit.Entry(actor=session.actor, action="password_changed", session_id=session.session_id)
        await audit.append_in(conn, entry, now_ns)


@router.post("/recovery-codes", responses=declared(401))
async def new_recovery_codes(records: RecordsDep, factors: FactorsDep, session: SignedIn) -> CodesAnswer:
    """Create ten new recovery codes, shown once; the old ones become invalid. Needs a fresh code."""
    require_step_up(records, session)
    codes = second_factor.new_recovery_codes()
    hashes = code_hashes(factors.key, session.staff_id, codes)
    async with changing(records, session) as conn:
        await conn.execute(sql.load("api.staff", "recovery_codes_drop"), session.staff_id)
        await conn.execute(sql.load("api.credentials", "recovery_codes_add"), session.staff_id, hashes)
        entry = audit.Entry(actor=session.actor, action="recovery_codes", session_id=session.session_id)
        await audit.append_in(conn, entry, records.clock_ns())
    return CodesAnswer(recovery_codes=list(codes))


def _another_password() -> Problem:
    return Problem(403, "password-wrong", "The present password is wrong.", "Check it.")

"""Administration of staff and roles. Every change needs a fresh code and is on record."""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager
from typing import Annotated, Any
from uuid import UUID

import asyncpg
from fastapi import APIRouter, Depends

from api.credentials import handover
from api.credentials.accounts import NewStaff, add_grants, add_staff, check_staff, new_factor, said_grants
from api.credentials.factors import FactorsDep
from api.credentials.passwords import check_new
from api.errors import StaffExistsError, StaffRefusedError
from api.http.problems import Problem, declared, not_found
from api.records import Records, RecordsDep
from api.sign_in import rights
from api.sign_in.sessions import ABSOLUTE_NS, IDLE_NS, Session, SignedIn, require_step_up
from api.staff.changing import changing
from api.staff.shapes import (
    DisableBody,
    FactorAnswer,
    GrantBody,
    GrantsBody,
    PasswordBody,
    StaffAnswer,
    StaffBody,
    factor_answer,
    staff_answer,
)
from domain.ids import StaffId
from runtime import sql
from runtime.database import wrapped_errors
from storage.catalogue import audit

router = APIRouter(prefix="/v1", tags=["staff"])


def administrator(session: SignedIn) -> Session:
    """404 unless the person administers everything."""
    if not rights.has_everywhere(session.grants, rights.OPERATE):
        raise not_found()
    return session


def confirmed(records: RecordsDep, session: Annotated[Session, Depends(administrator)]) -> Session:
    """The same, with a fresh code."""
    require_step_up(records, session)
    return session


Administrator = Annotated[Session, Depends(administrator)]
Confirmed = Annotated[Session, Depends(confirmed)]


@router.get("/staff", responses=declared(401, 404))
async def everybody(records: RecordsDep, session: Administrator) -> list[StaffAnswer]:
    """All staff with their grants."""
    return [staff_answer(row) for row in await _rows(records, None)]


@router.post("/staff", status_code=201, responses=declared(401, 404, 409))
async def create(body: StaffBody, records: RecordsDep, factors: FactorsDep, session: Confirmed) -> FactorAnswer:
    """Add a member of staff. The answer holds the second factor, which is shown only once."""
    new = NewStaff(
        user_name=body.user_name.strip().lower(),
        display_name=body.display_name.strip(),
        grants=tuple(each.grant() for each in body.grants),
    )
    try:
        check_staff(new, body.password.get_secret_value())
        password_hash = await factors.passwords.hash(body.password.get_secret_value())
        async with _changing(records, session) as conn:
            now_ns = records.clock_ns()
            made = await add_staff(conn, factors.key, new, password_hash, _by(session), now_ns)
            await handover.note(conn, made.staff_id, session.staff_id, "account", now_ns)
    except StaffRefusedError as exc:
        raise _refused(exc) from None
    except StaffExistsError as exc:
        raise Problem(409, "staff-exists", exc.what, exc.remedy) from None
    return factor_answer(made)


@router.put("/staff/{staff_id}/grants", responses=declared(401, 404, 409))
async def set_grants(staff_id: UUID, body: GrantsBody, records: RecordsDep, session: Confirmed) -> StaffAnswer:
    """Replace a person's grants, effective from the next request."""
    grants = [each.grant() for each in _distinct(body.grants)]
    async with _changing(records, session) as conn:
        await _known(records, staff_id)
        await conn.execute(sql.load("api.staff", "grants_drop"), staff_id)
        await add_grants(conn, StaffId(staff_id), grants)
        await _require_an_administrator(conn)
        await _note(conn, records, session, "staff_grants", staff_id, {"grants": said_grants(grants)})
    return staff_answer(await _known(records, staff_id))


@router.post("/staff/{staff_id}/disable", responses=declared(401, 404, 409))
async def disable(staff_id: UUID, body: DisableBody, records: RecordsDep, session: Confirmed) -> StaffAnswer:
    """Accounts are disabled, never deleted: the audit trail goes on naming them."""
    if staff_id == session.staff_id:
        raise Problem(409, "yourself", "You cannot disable yourself.", "Ask another administrator.")
    async with _changing(records, session) as conn:
        await _known(records, staff_id)
        if body.disabled:
            changed = await _disable(conn, staff_id, records.clock_ns())
        else:
            changed = await conn.fetchval(sql.load("api.staff", "staff_enable"), staff_id)
        if changed:
            await _note(conn, records, session, "staff_disabled" if body.disabled else "staff_enabled", staff_id, {})
    return staff_answer(await _known(records, staff_id))


async def _disable(conn: asyncpg.Connection, staff_id: UUID, now_ns: int) -> bool:
    if not await conn.fetchval(sql.load("api.staff", "staff_disable"), staff_id, now_ns):
        return False
    await conn.execute(sql.load("api.sign_in", "sessions_end_all"), staff_id, now_ns)
    await _require_an_administrator(conn)
    return True


@router.post("/staff/{staff_id}/second-factor", responses=declared(401, 404))
async def reset_factor(staff_id: UUID, records: RecordsDep, factors: FactorsDep, session: Confirmed) -> FactorAnswer:
    """Replace a lost second factor and the recovery codes. The old ones become invalid and all sessions end."""
    async with _changing(records, session) as conn:
        row = await _known(records, staff_id)
        factor = new_factor(factors.key, StaffId(staff_id), row["user_name"])
        await conn.execute(sql.load("api.staff", "staff_factor"), staff_id, factor.sealed)
        await conn.execute(sql.load("api.staff", "recovery_codes_drop"), staff_id)
        await conn.execute(sql.load("api.credentials", "recovery_codes_add"), staff_id, factor.hashes)
        await conn.execute(sql.load("api.sign_in", "sessions_end_all"), staff_id, records.clock_ns())
        await handover.note(conn, StaffId(staff_id), session.staff_id, "factor", records.clock_ns())
        await _note(conn, records, session, "factor_reset", staff_id, {})
    return factor_answer(factor.created)


@router.post("/staff/{staff_id}/password", status_code=204, responses=declared(401, 404))
async def set_password(
    staff_id: UUID, body: PasswordBody, records: RecordsDep, factors: FactorsDep, session: Confirmed
) -> None:
    """Replace a forgotten password. All of the person's sessions end."""
    row = await _known(records, staff_id)
    password = body.password.get_secret_value()
    try:
        check_new(password, row["user_name"])
    except StaffRefusedError as exc:
        raise _refused(exc) from None
    password_hash = await factors.passwords.hash(password)
    async with _changing(records, session) as conn:
        await conn.execute(sql.load("api.staff", "staff_password"), staff_id, password_hash)
        await conn.execute(sql.load("api.sign_in", "sessions_end_all"), staff_id, records.clock_ns())
        await handover.note(conn, StaffId(staff_id), session.staff_id, "password", records.clock_ns())
        await _note(conn, records, session, "password_reset", staff_id, {})


@router.post("/staff/{staff_id}/sign-out", status_code=204, responses=declared(401, 404))
async def sign_out(staff_id: UUID, records: RecordsDep, session: Confirmed) -> None:
    """End all of a person's sessions at once."""
    async with _changing(records, session) as conn:
        await _known(records, staff_id)
        await conn.execute(sql.load("api.sign_in", "sessions_end_all"), staff_id, records.clock_ns())
        await _note(conn, records, session, "signed_out", staff_id, {})


def _changing(records: Records, session: Session) -> AbstractAsyncContextManager[asyncpg.Connection]:
    return changing(records, session, roles=rights.OPERATE)


async def _rows(records: Records, staff_id: UUID | None) -> list[asyncpg.Record]:
    now_ns = records.clock_ns()
    with wrapped_errors():
        found: list[asyncpg.Record] = await records.pool.fetch(
            sql.load("api.staff", "staff_list"), staff_id, now_ns - ABSOLUTE_NS, now_ns - IDLE_NS
        )
    return found


async def _known(records: Records, staff_id: UUID) -> asyncpg.Record:
    found = await _rows(records, staff_id)
    if not found:
        raise not_found()
    return found[0]


async def _require_an_administrator(conn: asyncpg.Connection) -> None:
    if not await conn.fetchval(sql.load("api.staff", "staff_admins")):
        raise Problem(
            409,
            "last-admin",
            "No administrator of everything would remain.",
            "Make another person administrator first.",
        )


def _by(session: Session) -> audit.Entry:
    return audit.Entry(actor=session.actor, action="", session_id=session.session_id)


async def _note(
    conn: asyncpg.Connection,
    records: Records,
    session: Session,
    action: str,
    staff_id: UUID,
    detail: dict[str, Any],
) -> None:
    said = {"staff_id": str(staff_id), **detail}
    entry = audit.Entry(actor=session.actor, action=action, session_id=session.session_id, detail=said)
    await audit.append_in(conn, entry, records.clock_ns())


def _distinct(grants: list[GrantBody]) -> list[GrantBody]:
    return list({(each.role, each.site_id, each.camera_id): each for each in grants}.values())


def _refused(exc: StaffRefusedError) -> Problem:
    return Problem(422, "staff-refused", exc.what, exc.remedy)

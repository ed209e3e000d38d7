"""A member's card: read, changed, its history, consents, new members. On record before anything shows or counts."""

from __future__ import annotations

from typing import Any, Final
from uuid import UUID

import asyncpg
from fastapi import APIRouter

from api.http.problems import Problem, declared, not_found
from api.records import Records, RecordsDep
from api.register.checking import checked_values
from api.register.levels import CONSENTS, Levels, everywhere, levels_for, load_rights
from api.register.shapes import (
    CardAnswer,
    ChangeBody,
    ConsentBody,
    NewMemberBody,
    VersionAnswer,
    WithdrawBody,
    consent_answer,
    field_answer,
    version_answer,
)
from api.sign_in.purposes import Purpose, StatedForMembers
from api.sign_in.sessions import Session, SignedIn
from domain.ids import MemberId, new_id
from runtime import sql
from runtime.database import wrapped_errors
from storage.access import MemberRow, fold, member
from storage.catalogue import audit
from storage.register import (
    Field,
    Source,
    Way,
    consents,
    give_consent,
    history,
    keep,
    present,
    withdraw_consent,
)

router = APIRouter(prefix="/v1/register", tags=["register"])
HISTORY_MAX: Final = 500


@router.get("/{member_id}", responses=declared(401, 404))
async def card(records: RecordsDep, session: SignedIn, purpose: StatedForMembers, member_id: UUID) -> CardAnswer:
    """What one may see of a member: field by field, as the operator has set for one's roles."""
    row, levels = await _reached(records, session, member_id)
    await _record(records, records.pool, session, purpose, "register_read", row.member_id, _shown(levels))
    return await _card(records, row, levels)


@router.put("/{member_id}", responses=declared(401, 404, 409))
async def change(
    records: RecordsDep, session: SignedIn, purpose: StatedForMembers, member_id: UUID, body: ChangeBody
) -> CardAnswer:
    """Correct the named fields. What stood there before stays in the history, with who changed it and when."""
    row, levels = await _reached(records, session, member_id)
    if not all(levels.changes(each) for each in body.fields):
        raise not_found()
    values = checked_values(body.fields, records.clock_ns())
    with wrapped_errors():
        async with records.pool.acquire() as conn, conn.transaction():
            now_ns = records.clock_ns()
            changed = await keep(
                conn, row.member_id, values, source=Source.STAFF, staff_id=session.staff_id, now_ns=now_ns
            )
            if changed:
                detail = {"fields": [each.value for each in changed]}
                await _record(records, conn, session, purpose, "register_changed", row.member_id, detail)
    return await card(records, session, purpose, member_id)


@router.get("/{member_id}/history", responses=declared(401, 404))
async def card_history(
    records: RecordsDep, session: SignedIn, purpose: StatedForMembers, member_id: UUID
) -> list[VersionAnswer]:
    """What stood in the fields that one may see, the newest first: since when, and who said so."""
    row, levels = await _reached(records, session, member_id)
    detail = {**_shown(levels), "history": True}
    await _record(records, records.pool, session, purpose, "register_read", row.member_id, detail)
    return [version_answer(each) for each in await history(records.pool, row.member_id, levels.fields, HISTORY_MAX)]


@router.post("", status_code=201, responses=declared(401, 404, 409))
async def add(records: RecordsDep, session: SignedIn, purpose: StatedForMembers, body: NewMemberBody) -> CardAnswer:
    """Add a member. For those who may change names everywhere."""
    levels = everywhere(await load_rights(records.pool), session.grants)
    if not levels.changes(Field.NAME) or not all(levels.changes(each) for each in body.fields):
        raise not_found()
    values = checked_values(body.fields, records.clock_ns())
    if Field.NAME not in values:
        raise Problem(422, "invalid", "A member has a name.", "Give it among the fields.")
    name, member_id = values.pop(Field.NAME), MemberId(new_id())
    with wrapped_errors():
        async with records.pool.acquire() as conn, conn.transaction():
            now_ns = records.clock_ns()
            arguments = (member_id, body.number, name, fold(name), now_ns)
            if await conn.fetchval(sql.load("api.register", "member_add"), *arguments) is None:
                raise Problem(409, "member-exists", "This customer number is taken.", "Look for the member.")
            await keep(conn, member_id, values, source=Source.STAFF, staff_id=session.staff_id, now_ns=now_ns)
            detail = {"fields": [Field.NAME.value, *(each.value for each in values)], "new": True}
            await _record(records, conn, session, purpose, "register_changed", member_id, detail)
    row = await member(records.pool, member_id)
    assert row is not None
    return await _card(records, row, levels)


@router.post("/{member_id}/consents", status_code=201, responses=declared(401, 404))
async def give(
    records: RecordsDep, session: SignedIn, purpose: StatedForMembers, member_id: UUID, body: ConsentBody
) -> CardAnswer:
    """Record a consent that the member gave at the desk, on paper or elsewhere."""
    row, _ = await _may_change_consents(records, session, member_id)
    with wrapped_errors():
        async with records.pool.acquire() as conn, conn.transaction():
            consent_id = await give_consent(
                conn,
                row.member_id,
                body.purpose,
                Way(body.how),
                staff_id=session.staff_id,
                now_ns=records.clock_ns(),
            )
            if consent_id is None:
                raise not_found()  # erased while the request was under way
            detail = {"consent_id": str(consent_id), "how": body.how}
            await _record(records, conn, session, purpose, "consent_given", row.member_id, detail)
    return await card(records, session, purpose, member_id)


@router.post("/{member_id}/consents/{consent_id}/withdraw", responses=declared(401, 404))
async def withdraw(
    records: RecordsDep,
    session: SignedIn,
    purpose: StatedForMembers,
    member_id: UUID,
    consent_id: UUID,
    body: WithdrawBody,
) -> CardAnswer:
    """Record that a member withdrew a consent. It stays in the list, with both times."""
    row, _ = await _may_change_consents(records, session, member_id)
    with wrapped_errors():
        async with records.pool.acquire() as conn, conn.transaction():
            now_ns = records.clock_ns()
            if not await withdraw_consent(
                conn, row.member_id, consent_id, Way(body.how), staff_id=session.staff_id, now_ns=now_ns
            ):
                raise not_found()
            detail = {"consent_id": str(consent_id), "how": body.how}
            await _record(records, conn, session, purpose, "consent_withdrawn", row.member_id, detail)
    return await card(records, session, purpose, member_id)


async def _reached(records: Records, session: Session, member_id: UUID) -> tuple[MemberRow, Levels]:
    """404 unless the person sees something of the member."""
    row = await member(records.pool, MemberId(member_id))
    if row is None:
        raise not_found()
    levels = await levels_for(records, session, row.member_id)
    if not levels.by_field:
        raise not_found()
    return row, levels


async def _may_change_consents(records: Records, session: Session, member_id: UUID) -> tuple[MemberRow, Levels]:
    row, levels = await _reached(records, session, member_id)
    if not levels.changes(CONSENTS):
        raise not_found()
    return row, levels


async def _card(records: Records, row: MemberRow, levels: Levels) -> CardAnswer:
    values = (await present(records.pool, [row.member_id], levels.fields))[row.member_id]
    texts = {Field.NAME: row.name}
    return CardAnswer(
        member_id=row.member_id,
        number=row.number,
        name=row.name,
        minor=row.minor,
        fields=[
            field_answer(each, values.get(each), text=texts.get(each), may_change=levels.changes(each))
            for each in levels.fields
        ],
        consents=[consent_answer(each) for each in await consents(records.pool, row.member_id)]
        if levels.sees(CONSENTS)
        else None,
        may_change_consents=levels.changes(CONSENTS),
    )


def _shown(levels: Levels) -> dict[str, Any]:
    return {"fields": sorted(levels.by_field)}


async def _record(
    records: Records,
    conn: asyncpg.Pool | asyncpg.Connection,
    session: Session,
    purpose: Purpose,
    action: str,
    member_id: MemberId,
    detail: dict[str, Any],
) -> None:
    entry = audit.Entry(
        actor=session.actor,
        action=action,
        session_id=session.session_id,
        purpose_id=purpose.purpose_id,
        member_id=member_id,
        detail=detail,
    )
    await audit.append(conn, entry, records.clock_ns())

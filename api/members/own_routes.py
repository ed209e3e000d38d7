"""What a member sees and corrects: the register's fields, its history, consents. Each request is on record."""

from __future__ import annotations

from functools import partial
from typing import Final
from uuid import UUID

import asyncpg
from fastapi import APIRouter, Request

from api.http.problems import Problem, declared, not_found
from api.members.codes import GOOD_NS, ask_new_email, checked_email, take, wrong_code
from api.members.room import Members, MembersDep
from api.members.sessions import MemberSession, MemberSignedIn, not_signed_in, record
from api.members.shapes import (
    AskedAnswer,
    CardAnswer,
    ChangeBody,
    EmailBody,
    GiveBody,
    NewEmailBody,
    VersionAnswer,
    WithdrawBody,
    consent_answer,
    field_answer,
    version_answer,
)
from api.members.wording import changed_mail
from api.pages.language import language_of
from api.register.checking import checked_values
from domain.ids import MemberId
from domain.time import NS
from runtime import sql
from runtime.database import wrapped_errors
from storage.access import member
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

router = APIRouter(prefix="/v1/me", tags=["own"])
HISTORY_MAX: Final = 500


@router.get("", responses=declared(401, 429))
async def card(room: MembersDep, session: MemberSignedIn) -> CardAnswer:
    """What the register has of the member who asks."""
    await record(room, room.records.pool, session, "member_read", {"what": "register"})
    return await _card(room, session.member_id)


@router.put("", responses=declared(401, 429))
async def change(body: ChangeBody, room: MembersDep, session: MemberSignedIn) -> CardAnswer:
    """Correct the named fields, where members may. What stood there before stays in the history."""
    if not all(each in room.own.may_change and each is not Field.EMAIL for each in body.fields):
        raise _not_theirs()
    await _keep(room, session, checked_values(body.fields, room.records.clock_ns()))
    return await _card(room, session.member_id)


@router.get("/history", responses=declared(401, 429))
async def own_history(room: MembersDep, session: MemberSignedIn) -> list[VersionAnswer]:
    """What stood in the fields, the newest first: since when, and whether the member, staff or a list said so."""
    await record(room, room.records.pool, session, "member_read", {"what": "history"})
    found = await history(room.records.pool, session.member_id, list(Field), HISTORY_MAX)
    return [version_answer(each) for each in found]


@router.post("/email", status_code=202, responses=declared(401, 429))
async def ask_email(body: EmailBody, request: Request, room: MembersDep, session: MemberSignedIn) -> AskedAnswer:
    """Send a code to the address that the member wants to have: it counts once they have typed it."""
    if Field.EMAIL not in room.own.may_change:
        raise _not_theirs()
    email = checked_email(room, body.email)
    await room.begin(room.code_to(email), room.network("ask", request))
    await record(room, room.records.pool, session, "member_email_asked")
    language = language_of(request, room.default_language)
    token = await ask_new_email(room, session.member_id, email, language)
    return AskedAnswer(request=token, seconds=GOOD_NS // NS)


@router.post("/email/confirm", responses=declared(401, 429))
async def confirm_email(body: NewEmailBody, request: Request, room: MembersDep, session: MemberSignedIn) -> CardAnswer:
    """From now on this address counts. The member's other sessions end, and the address before gets a mail about it."""
    email = checked_email(room, body.email)
    attempt = room.network("code", request)
    await room.begin(attempt)
    now_ns = room.records.clock_ns()
    with wrapped_errors():
        async with room.records.pool.acquire() as conn, conn.transaction():
            taken = await take(room, conn, "new_email", body.request, body.code.get_secret_value(), now_ns)
            right = taken is not None and taken[:2] == (session.member_id, room.email_hash(email))
            changed = right and await _keep_email(room, conn, session, email, now_ns)
    if not right:
        raise wrong_code()
    await room.throttle.take_back(attempt.key)
    if changed:
        mail = changed_mail(language_of(request, room.default_language), room.own.name)
        room.post.later(partial(room.post.send, session.email, *mail))
    return await _card(room, session.member_id)


@router.post("/consents", status_code=201, responses=declared(401, 404, 429))
async def give(body: GiveBody, room: MembersDep, session: MemberSignedIn) -> CardAnswer:
    """Consent to one of what is offered. What holds already is not given twice."""
    if body.purpose not in room.own.consents:
        raise not_found()
    with wrapped_errors():
        async with room.records.pool.acquire() as conn, conn.transaction():
            await conn.execute(sql.load("api.members", "consent_lock"), str(session.member_id))
            held = await consents(conn, session.member_id)
            if not any(each.purpose == body.purpose and each.withdrawn_ns is None for each in held):
                now_ns = room.records.clock_ns()
                consent_id = await give_consent(
                    conn, session.member_id, body.purpose, Way.MEMBER, staff_id=None, now_ns=now_ns
                )
                if consent_id is None:
                    raise not_signed_in()  # erased while the request was under way
                detail = {"consent_id": str(consent_id), "how": "member"}
                await record(room, conn, session, "consent_given", detail)
    return await _card(room, session.member_id)


@router.post("/consents/{consent_id}/withdraw", responses=declared(401, 404, 429))
async def withdraw(body: WithdrawBody, consent_id: UUID, room: MembersDep, session: MemberSignedIn) -> CardAnswer:
    """Withdraw a consent, also one that staff recorded. It stays in the list, with both times."""
    with wrapped_errors():
        async with room.records.pool.acquire() as conn, conn.transaction():
            now_ns = room.records.clock_ns()
            if not await withdraw_consent(
                conn, session.member_id, consent_id, Way.MEMBER, staff_id=None, now_ns=now_ns
            ):
                raise not_found()
            await record(room, conn, session, "consent_withdrawn", {"consent_id": str(consent_id), "how": "member"})
    return await _card(room, session.member_id)


async def _keep(room: Members, session: MemberSession, values: dict[Field, str]) -> None:
    with wrapped_errors():
        async with room.records.pool.acquire() as conn, conn.transaction():
            now_ns = room.records.clock_ns()
            changed = await keep(conn, session.member_id, values, source=Source.MEMBER, staff_id=None, now_ns=now_ns)
            if changed:
                await record(room, conn, session, "register_changed", {"fields": [each.value for each in changed]})


async def _keep_email(room: Members, conn: asyncpg.Connection, session: MemberSession, email: str, now_ns: int) -> bool:
    """Whether it is another address than before. This session goes on under it, the member's others end."""
    values = {Field.EMAIL: email}
    changed = await keep(conn, session.member_id, values, source=Source.MEMBER, staff_id=None, now_ns=now_ns)
    arguments = (session.session_id, session.member_id, room.email_hash(email), now_ns)
    if not await conn.fetchval(sql.load("api.members", "sessions_end_others"), *arguments):
        raise not_signed_in()  # ended while the request was under way; nothing of it counts
    if changed:
        await record(room, conn, session, "register_changed", {"fields": [Field.EMAIL.value]})
    return bool(changed)


async def _card(room: Members, member_id: MemberId) -> CardAnswer:
    row = await member(room.records.pool, member_id)
    if row is None:
        raise not_signed_in()  # erased while the request was under way
    values = (await present(room.records.pool, [member_id], list(Field)))[member_id]
    held, may = await consents(room.records.pool, member_id), room.own.may_change
    given = {each.purpose for each in held if each.withdrawn_ns is None}
    return CardAnswer(
        number=row.number,
        name=row.name,
        fields=[
            field_answer(each, values.get(each), text=row.name if each is Field.NAME else None, may_change=each in may)
            for each in Field
        ],
        consents=[consent_answer(each) for each in held],
        offered=[text for text in room.own.consents if text not in given],
    )


def _not_theirs() -> Problem:
    return Problem(403, "member-field", "Staff change this.", "Ask at the desk.")

"""Members' requests over HTTP: received, checked, answered, and the copy of a member's data. For administrators."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from fastapi import APIRouter
from fastapi.responses import JSONResponse

from api.http.problems import Problem, declared, not_found
from api.records import Records, RecordsDep
from api.requests import rows
from api.requests.copy import file_name, make_copy
from api.requests.rows import RequestRow
from api.requests.shapes import COPIES, RequestAnswer, RequestBody, WordsBody, request_answer
from api.sign_in import rights
from api.sign_in.purposes import Purpose, StatedForMembers
from api.sign_in.sessions import Session, SignedIn, require_step_up
from domain.ids import MemberId
from domain.time import DAY_NS
from storage.access import MemberRow, member
from storage.catalogue import audit

router = APIRouter(prefix="/v1/requests", tags=["requests"])


@router.get("", responses=declared(401, 404))
async def listing(
    records: RecordsDep, session: SignedIn, purpose: StatedForMembers, ended: bool = False
) -> list[RequestAnswer]:
    """Open requests, the first due first; or the newest that have ended."""
    _handles(session)
    found = await rows.listed(records, ended=ended)
    await _looked(records, session, purpose, found)
    return [request_answer(each, records.clock_ns()) for each in found]


@router.post("", status_code=201, responses=declared(401, 404, 409))
async def receive(
    records: RecordsDep, session: SignedIn, purpose: StatedForMembers, body: RequestBody
) -> RequestAnswer:
    """Record a request that came by letter, by e-mail or at the desk."""
    _handles(session)
    now_ns = records.clock_ns()
    received_ns = now_ns if body.received is None else body.received
    if not now_ns - 366 * DAY_NS <= received_ns <= now_ns:
        raise Problem(422, "request-received", "The request was not received on that day.", "Give a day of this year.")
    request_id = await rows.add(
        records,
        rows.staff_entry(session, purpose.purpose_id),
        MemberId(body.member_id),
        kind=body.kind,
        channel=body.channel,
        details=body.details,
        received_ns=received_ns,
    )
    if request_id is None:
        raise not_found()
    return request_answer(await _known(records, request_id), now_ns)


@router.get("/{request_id}", responses=declared(401, 404))
async def one(records: RecordsDep, session: SignedIn, purpose: StatedForMembers, request_id: UUID) -> RequestAnswer:
    """One request."""
    _handles(session)
    row = await _known(records, request_id)
    await _looked(records, session, purpose, [row])
    return request_answer(row, records.clock_ns())


@router.post("/{request_id}/identify", responses=declared(401, 404, 409))
async def identify(
    records: RecordsDep, session: SignedIn, purpose: StatedForMembers, request_id: UUID, body: WordsBody
) -> RequestAnswer:
    """Record how it was checked who asks. Nothing about the member leaves before that."""
    return await _step(records, session, purpose, request_id, "identify", body.text)


@router.post("/{request_id}/extend", responses=declared(401, 404, 409))
async def extend(
    records: RecordsDep, session: SignedIn, purpose: StatedForMembers, request_id: UUID, body: WordsBody
) -> RequestAnswer:
    """Two months more, once, within the first; the member learns why."""
    return await _step(records, session, purpose, request_id, "extend", body.text)


@router.post("/{request_id}/answer", responses=declared(401, 404, 409))
async def answer(
    records: RecordsDep, session: SignedIn, purpose: StatedForMembers, request_id: UUID, body: WordsBody
) -> RequestAnswer:
    """End it, with the answer to the member."""
    return await _step(records, session, purpose, request_id, "answer", body.text)


@router.post("/{request_id}/refuse", responses=declared(401, 404, 409))
async def refuse(
    records: RecordsDep, session: SignedIn, purpose: StatedForMembers, request_id: UUID, body: WordsBody
) -> RequestAnswer:
    """End it: the reason, as the member reads it."""
    return await _step(records, session, purpose, request_id, "refuse", body.text)


@router.post("/{request_id}/withdraw", responses=declared(401, 404, 409))
async def withdraw(
    records: RecordsDep, session: SignedIn, purpose: StatedForMembers, request_id: UUID
) -> RequestAnswer:
    """End it: the member took it back."""
    return await _step(records, session, purpose, request_id, "withdraw", None)


@router.get("/{request_id}/copy.json", responses=declared(401, 404, 409), response_class=JSONResponse)
async def copy(records: RecordsDep, session: SignedIn, purpose: StatedForMembers, request_id: UUID) -> JSONResponse:
    """All that is held about the member, made anew, with a fresh code. 409 before it was checked who asks."""
    _handles(session)
    made = await copy_for(records, session, purpose.purpose_id, request_id)
    headers = {"Content-Disposition": f'attachment; filename="{file_name(request_id, "json")}"'}
    return JSONResponse(made, headers=headers)


@router.post("/{request_id}/erase-person", responses=declared(401, 404, 409))
async def erase_person(
    records: RecordsDep, session: SignedIn, purpose: StatedForMembers, request_id: UUID
) -> RequestAnswer:
    """Erase who the member is, for good: name, number, register, consents, cards. Events keep the internal id alone.

    Footage is erased by an order of early erasure, which is placed before this, or left to expire.
    """
    _handles(session)
    require_step_up(records, session)
    row = await _known(records, request_id)
    if not await rows.erase_person(records, session, purpose.purpose_id, row):
        raise _state()
    return request_answer(await _known(records, request_id), records.clock_ns())


async def copy_for(records: Records, session: Session, purpose_id: UUID, request_id: UUID) -> dict[str, Any]:
    """The copy, on record first. 403 without a fresh code; 409 unless the request offers one."""
    require_step_up(records, session)
    row, who = await _known(records, request_id), None
    if row.kind in COPIES and row.state == "checked":
        who = await member(records.pool, row.member_id)
    if who is None:
        raise _state()
    await _on_record(records, session, purpose_id, "copy_made", row, who)
    return await make_copy(records, row, who)


async def _on_record(
    records: Records, session: Session, purpose_id: UUID, action: str, row: RequestRow, who: MemberRow
) -> None:
    entry = audit.Entry(
        actor=session.actor,
        action=action,
        session_id=session.session_id,
        purpose_id=purpose_id,
        member_id=who.member_id,
        detail={"request_id": str(row.request_id)},
    )
    await audit.append(records.pool, entry, records.clock_ns())


async def _step(
    records: Records, session: Session, purpose: Purpose, request_id: UUID, name: str, text: str | None
) -> RequestAnswer:
    _handles(session)
    row = await _known(records, request_id)
    if not await rows.step(records, session, purpose.purpose_id, row, name, text):
        raise _state()
    return request_answer(await _known(records, request_id), records.clock_ns())


async def _looked(records: Records, session: Session, purpose: Purpose, found: list[RequestRow]) -> None:
    """A list of requests names members: it is a look at the register."""
    members = sorted({str(row.member_id) for row in found})
    entry = audit.Entry(
        actor=session.actor,
        action="search_members",
        session_id=session.session_id,
        purpose_id=purpose.purpose_id,
        member_id=found[0].member_id if len(members) == 1 else None,
        detail={"results": len(found), "members": members},
    )
    await audit.append(records.pool, entry, records.clock_ns())


async def _known(records: Records, request_id: UUID) -> RequestRow:
    found = await rows.listed(records, request_id=request_id)
    if not found:
        raise not_found()
    return found[0]


def _handles(session: Session) -> None:
    """404 unless the person administers everything."""
    if not rights.has_everywhere(session.grants, rights.OPERATE):
        raise not_found()


def _state() -> Problem:
    return Problem(
        409,
        "request-state",
        "The request does not allow this now.",
        "Look at it again: it may have ended, or it was not checked yet who asks.",
    )

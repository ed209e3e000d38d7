"""What members ask for under the GDPR, on their own pages: asked, taken back, and read with its answer."""

from __future__ import annotations

from typing import Final
from uuid import UUID

from fastapi import APIRouter

from api.http.problems import Problem, declared, not_found
from api.members.room import MembersDep
from api.members.sessions import MemberSession, MemberSignedIn, record
from api.members.shapes import AskBody, OwnRequestAnswer, own_request_answer
from api.requests import rows
from storage.catalogue import audit

router = APIRouter(prefix="/v1/me/requests", tags=["requests"])
_SIGNED_IN: Final = "Signed in with a code that was sent to the address in the register"


@router.get("", responses=declared(401, 429))
async def own_requests(room: MembersDep, session: MemberSignedIn) -> list[OwnRequestAnswer]:
    """The member's requests, open ones first, with what they were answered."""
    await record(room, room.records.pool, session, "member_read", {"what": "requests"})
    return await _listed(room, session)


@router.post("", status_code=201, responses=declared(401, 409, 429))
async def ask(body: AskBody, room: MembersDep, session: MemberSignedIn) -> list[OwnRequestAnswer]:
    """Ask for something. One request of a kind at a time: what is open is answered first."""
    made = await rows.add(
        room.records,
        _entry(session),
        session.member_id,
        kind=body.kind,
        channel="page",
        details=body.details,
        received_ns=room.records.clock_ns(),
        identity=_SIGNED_IN,
    )
    if made is None:
        found = await rows.listed(room.records, member_id=session.member_id)
        if any(each.kind == body.kind and each.ended_ns is None for each in found):
            what, remedy = "Such a request is open already.", "Wait for its answer, or take it back."
            raise Problem(409, "request-open", what, remedy)
        raise not_found()  # erased while the request was under way
    return await _listed(room, session)


@router.post("/{request_id}/withdraw", responses=declared(401, 404, 429))
async def take_back(request_id: UUID, room: MembersDep, session: MemberSignedIn) -> list[OwnRequestAnswer]:
    """Take a request of one's own back."""
    found = await rows.listed(room.records, request_id=request_id)
    if not found or found[0].member_id != session.member_id:
        raise not_found()
    if not await rows.take_back(room.records, _entry(session), found[0]):
        raise not_found()
    return await _listed(room, session)


async def _listed(room: MembersDep, session: MemberSession) -> list[OwnRequestAnswer]:
    return [own_request_answer(each) for each in await rows.listed(room.records, member_id=session.member_id)]


def _entry(session: MemberSession) -> audit.Entry:
    return audit.Entry(actor=session.actor, action="", session_id=session.session_id)

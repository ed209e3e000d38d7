"""Hand-overs over HTTP: recorded before something leaves, and listed for a member."""

from __future__ import annotations

from uuid import UUID

from fastapi import APIRouter

from api.http.problems import Problem, declared, not_found
from api.recipients import rows
from api.recipients.rows import Recipient
from api.recipients.shapes import RecipientAnswer, RecipientBody, recipient_answer
from api.records import Records, RecordsDep
from api.sign_in import rights
from api.sign_in.purposes import StatedForMembers
from api.sign_in.scope import load_scope, visible_members
from api.sign_in.sessions import Session, SignedIn, require, require_step_up
from domain.ids import MemberId
from storage.access import member
from storage.catalogue import audit

router = APIRouter(prefix="/v1/members", tags=["recipients"])
_AUTHORITIES = ("police", "authority")


@router.get("/{member_id}/recipients", responses=declared(401, 404))
async def listing(
    records: RecordsDep, session: SignedIn, purpose: StatedForMembers, member_id: UUID
) -> list[RecipientAnswer]:
    """Who received the member's data or footage, the newest first."""
    who = await _reached(records, session, member_id)
    entry = audit.Entry(
        actor=session.actor,
        action="register_read",
        session_id=session.session_id,
        purpose_id=purpose.purpose_id,
        member_id=who,
        detail={"fields": ["recipients"]},
    )
    await audit.append(records.pool, entry, records.clock_ns())
    return [recipient_answer(each) for each in await rows.recipients(records, who)]


@router.post("/{member_id}/recipients", status_code=201, responses=declared(401, 404, 409))
async def record(
    records: RecordsDep, session: SignedIn, purpose: StatedForMembers, member_id: UUID, body: RecipientBody
) -> list[RecipientAnswer]:
    """Record a hand-over, before it leaves; with a fresh code. 409 when the consent that it names does not hold."""
    who = await _reached(records, session, member_id)
    require_step_up(records, session)
    if body.kind in _AUTHORITIES and not body.reference:
        raise Problem(
            422, "recipient-reference", "An authority's request has a number.", "Ask for it, and give it as reference."
        )
    if (body.basis == "consent") != (body.consent_id is not None):
        raise Problem(
            422, "recipient-consent", "Consent as a basis names the consent, and no other basis does.", "Choose it."
        )
    said = Recipient(**body.model_dump(exclude={"consent_id"}))
    if not await rows.add(records, session, purpose.purpose_id, who, said, body.consent_id):
        raise Problem(
            409,
            "recipient-consent",
            "The consent does not hold.",
            "Look at the member's consents, or name another basis.",
        )
    return [recipient_answer(each) for each in await rows.recipients(records, who)]


async def _reached(records: Records, session: Session, member_id: UUID) -> MemberId:
    """404 unless the person may hand things over, and the member has been at one of their doors."""
    require(session, rights.APPROVE)
    row = await member(records.pool, MemberId(member_id))
    if row is None:
        raise not_found()
    scope = await load_scope(records, session, rights.APPROVE)
    if not await visible_members(records, scope, [row.member_id]):
        raise not_found()
    return row.member_id

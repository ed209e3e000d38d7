"""Early erasure over HTTP: order, look, approve, refuse, take back."""

from __future__ import annotations

from typing import Annotated, Final
from uuid import UUID

from fastapi import APIRouter, Depends

from api.credentials.handover import in_one_hand
from api.erasures import rows, shapes
from api.erasures.rows import OrderRow
from api.erasures.shapes import OrderAnswer, OrderBody
from api.http.problems import Problem, declared, not_found
from api.http.times import checked_span
from api.sign_in import rights
from api.sign_in.desk import Desk, asked, desk_of
from api.sign_in.scope import visible_members
from api.sign_in.sessions import require, require_step_up
from custodian.erasure.orders import SPAN_MAX_NS
from domain.ids import CameraId, MemberId

router = APIRouter(prefix="/v1/erasures", tags=["erasures"])
STATE: Final = "erasure-state"


DeskDep = Annotated[Desk, Depends(desk_of(rights.ERASE))]


@router.get("", responses=declared(401, 404))
async def listing(at: DeskDep) -> list[OrderAnswer]:
    """The orders in sight: those that wait for a decision first, then the newest hundred."""
    return await _answers(at, await rows.listed(at.records, at.session, at.scope.cameras))


@router.post("", status_code=201, responses=declared(401, 404, 409))
async def order(body: OrderBody, at: DeskDep) -> OrderAnswer:
    """Order that footage is erased before its time. Nothing happens until a second person approves it."""
    require_step_up(at.records, at.session)
    if body.member_id is not None:
        member_id = MemberId(body.member_id)
        if member_id not in await visible_members(at.records, at.scope, [member_id]):
            raise not_found()
        wanted = at.custodian.ask_erasure(body.reason, at.session.session_id, at.purpose_id, member_id=member_id)
    else:
        if body.start is None or body.end is None or not body.camera_ids:
            raise Problem(422, "span", "An order names cameras and a span, or a member.", "Give one of them.")
        span = checked_span(body.start, body.end, longest_ns=SPAN_MAX_NS)
        cameras = [at.scope.camera(CameraId(each)).camera_id for each in dict.fromkeys(body.camera_ids)]
        session_id, purpose_id = at.session.session_id, at.purpose_id
        wanted = at.custodian.ask_erasure(body.reason, session_id, purpose_id, camera_ids=cameras, span=span)
    return await _one(at, await asked(wanted, STATE))


@router.get("/{erasure_id}", responses=declared(401, 404))
async def one(at: DeskDep, erasure_id: UUID) -> OrderAnswer:
    """An order: what goes, and what keeps it."""
    return await _one(at, erasure_id)


@router.post("/{erasure_id}/approve", responses=declared(401, 404, 409))
async def approve(at: DeskDep, erasure_id: UUID) -> OrderAnswer:
    """The second person's word: it is never shown again from now on, and its keys are destroyed, for good."""
    found = await _order(at, erasure_id)
    require(at.session, rights.ERASE_APPROVE)
    require_step_up(at.records, at.session)
    if found.blocks:
        kept = "; ".join(f"case {each.number}: {each.reason}" for each in found.blocks[:5])
        raise Problem(409, "erasure-kept", f"The footage is kept. {kept}", "End the case first, by two people.")
    await asked(at.custodian.approve_erasure(erasure_id, at.session.session_id, at.purpose_id), STATE)
    at.opened_clips.clear()
    return await _one(at, erasure_id)


@router.post("/{erasure_id}/refuse", responses=declared(401, 404, 409))
async def refuse(at: DeskDep, erasure_id: UUID) -> OrderAnswer:
    """A second person says no."""
    await _order(at, erasure_id)
    require(at.session, rights.ERASE_APPROVE)
    require_step_up(at.records, at.session)
    await asked(at.custodian.refuse_erasure(erasure_id, at.session.session_id, at.purpose_id), STATE)
    return await _one(at, erasure_id)


@router.post("/{erasure_id}/cancel", responses=declared(401, 404, 409))
async def cancel(at: DeskDep, erasure_id: UUID) -> OrderAnswer:
    """The asker takes it back."""
    await _order(at, erasure_id)
    require_step_up(at.records, at.session)
    await asked(at.custodian.cancel_erasure(erasure_id, at.session.session_id, at.purpose_id), STATE)
    return await _one(at, erasure_id)


async def _order(at: Desk, erasure_id: UUID) -> OrderRow:
    """404 unless the order is in sight."""
    found = await rows.listed(at.records, at.session, at.scope.cameras, erasure_id)
    if not found:
        raise not_found()
    return found[0]


async def _one(at: Desk, erasure_id: UUID) -> OrderAnswer:
    return (await _answers(at, [await _order(at, erasure_id)]))[0]


async def _answers(at: Desk, found: list[OrderRow]) -> list[OrderAnswer]:
    hand = await in_one_hand(at.records.pool, at.session.staff_id, at.records.clock_ns())
    approves = rights.has_any(at.session.grants, rights.ERASE_APPROVE)
    return [shapes.said(row, at.scope, at.session.staff_id, approves, hand) for row in found]

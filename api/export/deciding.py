"""Deciding about exports over HTTP: the second person looks, approves or refuses; the asker cancels; the history."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import Annotated, Final
from uuid import UUID

from fastapi import APIRouter, Header, Query, Request
from fastapi.responses import Response
from pydantic import BaseModel

from api.cameras.parts import PART_ANSWERS, Converted, part_of_clip
from api.export import rows
from api.export.answers import ApproveBody, ExportAnswer, RefuseBody, View
from api.export.exports import Exports, ExportsDep
from api.export.preview import PreviewAnswer, may_look, preview, unseen
from api.export.rights import ENDED, concerning, ended, load_view, minors_seen, one_hand, record_shown
from api.export.rows import ExportRow
from api.footage.cache import ClipRequest
from api.footage.opening import FootageDep
from api.http.problems import Problem, declared, no_footage, not_found
from api.http.times import End, Start, checked_span
from api.records import Records, RecordsDep
from api.sign_in import rights
from api.sign_in.sessions import Session, SignedIn, Watching, require, require_step_up, still_may
from domain.ids import CameraId
from domain.time import HOUR_NS, Span, to_iso
from runtime import sql
from runtime.database import wrapped_errors

router = APIRouter(prefix="/v1", tags=["exports"])
PREVIEW_LONGEST_NS: Final = 2 * HOUR_NS
_LAST: Final = (1 << 63) - 1


class WaitingAnswer(BaseModel):
    """How many exports wait for this person's decision."""

    waiting: int


class StepAnswer(BaseModel):
    """A step: asked, approved, refused, cancelled, lapsed, reopened (a minor came to light), ready or failed."""

    export_id: UUID
    step: str
    at: str
    who: str | None
    reason: str | None
    own: bool
    cameras: list[str]
    start: str
    end: str
    time_zone: str


class HistoryPage(BaseModel):
    """Steps, the newest first; `next` continues the list."""

    steps: list[StepAnswer]
    next: int | None


@router.get("/exports-waiting", responses=declared(401, 404))
async def waiting(records: RecordsDep, session: Watching) -> WaitingAnswer:
    """For the menu of every page, which asks by itself: it does not keep the session alive, and shows no export."""
    require(session, rights.APPROVE)
    with wrapped_errors():
        query, values = sql.load("api.export", "exports_waiting_for"), (list(rights.APPROVE), records.clock_ns())
        count: int = await records.pool.fetchval(query, session.staff_id, *values)
    return WaitingAnswer(waiting=count)


@router.get("/export-history", responses=declared(401, 404))
async def history(
    records: RecordsDep,
    exports: ExportsDep,
    session: SignedIn,
    export_id: UUID | None = None,
    before: Annotated[int, Query(ge=1, le=_LAST, description="`next` of the page before.")] = _LAST,
    limit: Annotated[int, Query(ge=1, le=100)] = 20,
) -> HistoryPage:
    """What became of one's own exports and of those that one decided about; with `export_id`, of one in sight."""
    require(session, rights.APPROVE)
    view = await load_view(records, exports, session)
    if export_id is not None:
        await concerning(records, view, export_id)
    found = await rows.history(records, session.staff_id, view.scope.cameras, before, limit, export_id)
    if others := {step.export_id: step.camera_ids for step in found if step.staff_id != session.staff_id}:
        await record_shown(records, exports, session, others)
    return HistoryPage(
        steps=[_step(view, session, step) for step in found], next=found[-1].step_id if len(found) == limit else None
    )


def _step(view: View, session: Session, step: rows.StepRow) -> StepAnswer:
    cameras = [view.scope.cameras[each] for each in step.camera_ids if each in view.scope.cameras]
    return StepAnswer(
        export_id=step.export_id,
        step=step.step,
        at=to_iso(step.at_ns),
        who=step.who,
        reason=step.reason,
        own=step.staff_id == session.staff_id,
        cameras=[each.name for each in cameras],
        start=to_iso(step.span.start_ns),
        end=to_iso(step.span.end_ns),
        time_zone=view.scope.zone_of(cameras[0].site_id) if cameras else "UTC",
    )


@router.post("/exports/{export_id}/preview", status_code=201, responses=declared(401, 404, 409))
async def look(records: RecordsDep, exports: ExportsDep, session: SignedIn, export_id: UUID) -> PreviewAnswer:
    """What is to be decided about: its members, footage and gaps, and a purpose under which its clips are watched."""
    view, row = await _decidable(records, exports, session, export_id)
    return await preview(records, session, view.scope, row, view.answer(row))


@router.get(
    "/exports/{export_id}/cameras/{camera_id}/clip.mp4",
    status_code=206,
    response_class=Response,
    responses=PART_ANSWERS | declared(401, 404, 416),
)
async def clip(
    request: Request,
    records: RecordsDep,
    footage: FootageDep,
    session: SignedIn,
    export_id: UUID,
    camera_id: UUID,
    start: Start,
    end: End,
    purpose: Annotated[UUID, Query(description="From `preview`.")],
    range: Annotated[str | None, Header(description="`bytes=first-last`; needed.")] = None,
    wanted: Converted = None,
) -> Response:
    """A part of what the export asks for, as its approver watches it: a look, and no copy."""
    span = checked_span(start, end, longest_ns=PREVIEW_LONGEST_NS)
    row, camera = await rows.find(records, export_id), CameraId(camera_id)
    allowed = partial(may_look, records, session, purpose, export_id, camera)
    if (
        row is None
        or not row.span.start_ns <= span.start_ns < span.end_ns <= row.span.end_ns
        or not await allowed(span)
    ):
        raise not_found()
    asked = ClipRequest(session_id=session.session_id, purpose_id=purpose, action="look", camera_id=camera, span=span)

    async def still(shown: Span) -> bool:
        here = still_may(records, session.session_id, rights.APPROVE, [camera], shown)
        return await here and await allowed(span)

    return await part_of_clip(request, records, footage, session, asked, still, wanted)


@router.post("/exports/{export_id}/approve", responses=declared(401, 404, 409))
async def approve(
    records: RecordsDep, exports: ExportsDep, session: SignedIn, export_id: UUID, body: ApproveBody
) -> ExportAnswer:
    """Approve an export as the second person, who has looked at it. Never one's own, nor one of an account in one hand
    with one's own; and only while all of its footage is there."""
    view, row = await _decidable(records, exports, session, export_id)
    require_step_up(records, session)
    if row.minor and not body.minor:
        what = "A minor's credential was used in this span."
        raise Problem(409, "minor-unseen", what, "Look at the export again, then approve it with `minor`: true.")
    if await unseen(records, session, row):
        what = "You have not looked at every camera of this export."
        raise Problem(409, "clip-unseen", what, "Look at its clips, by POST \u2026/preview, then approve it.")
    if not await rows.approve(records, row, session):
        now = await concerning(records, view, export_id)
        if now.state == "approval" and now.minor == row.minor:
            raise no_footage()
        raise _not_waiting()
    return view.answer(await concerning(records, view, export_id))


@router.post("/exports/{export_id}/refuse", responses=declared(401, 404, 409))
async def refuse(
    records: RecordsDep, exports: ExportsDep, session: SignedIn, export_id: UUID, body: RefuseBody
) -> ExportAnswer:
    """Refuse an export as the second person. The asker reads the reason."""
    view, row = await _decidable(records, exports, session, export_id)
    if not await rows.refuse(records, row, session, body.reason):
        raise _not_waiting()
    return view.answer(await concerning(records, view, export_id))


@router.post("/exports/{export_id}/cancel", responses=declared(401, 404, 409))
async def cancel(records: RecordsDep, exports: ExportsDep, session: SignedIn, export_id: UUID) -> ExportAnswer:
    """Take one's own export back, while it waits."""
    require(session, rights.APPROVE)
    view = await load_view(records, exports, session)
    row = await concerning(records, view, export_id)
    if row.staff_id != session.staff_id:
        raise not_found()
    if not await rows.cancel(records, row, session):
        raise _not_waiting()
    return view.answer(await concerning(records, view, export_id))


async def _decidable(records: Records, exports: Exports, session: Session, export_id: UUID) -> tuple[View, ExportRow]:
    """Return an export that waits for a decision that the person may make, with what is known of it now."""
    require(session, rights.APPROVE)
    view = await load_view(records, exports, session)
    row = await concerning(records, view, export_id)
    if row.staff_id == session.staff_id:
        raise Problem(403, "own-export", "Your own export needs the approval of another person.", "Ask a colleague.")
    if row.staff_id in view.one_hand:
        raise one_hand()
    if row.state == "approval" and await rows.lapse(records, row):
        row = await concerning(records, view, export_id)
    if row.state in ENDED:
        raise ended(row)
    if row.state != "approval":
        raise _not_waiting()
    if not row.minor and await minors_seen(records, row.camera_ids, row.span):
        await rows.tell_minor(records, row)
        row = replace(row, minor=True)
    return view, row


def _not_waiting() -> Problem:
    return Problem(409, "not-waiting", "The export does not wait for approval.", "Look at it again.")

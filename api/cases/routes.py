"""Cases over HTTP: open, hold, note, end by two people."""

from __future__ import annotations

from typing import Annotated, Final
from uuid import UUID

from fastapi import APIRouter, Depends

from api.bookmarks import rows as bookmarks
from api.bookmarks.shapes import BookmarkAnswer, FileBody, bookmark_answers
from api.cases import rows, shapes
from api.cases.rows import CaseRow
from api.cases.shapes import (
    CaseAnswer,
    CaseBody,
    EndedAnswer,
    EntryBody,
    HeldAnswer,
    HoldBody,
    ReviewBody,
    WholeCase,
)
from api.http.problems import Problem, declared, not_found
from api.http.times import checked_span
from api.records import Records
from api.sign_in import rights
from api.sign_in.desk import Desk, asked, desk_of
from api.sign_in.scope import load_scope
from api.sign_in.sessions import require_step_up
from domain.ids import CameraId
from domain.time import DAY_NS

router = APIRouter(prefix="/v1/cases", tags=["cases"])
REVIEW_MAX_NS: Final = 366 * DAY_NS
STATE: Final = "case-state"


DeskDep = Annotated[Desk, Depends(desk_of(rights.CASES))]


@router.get("", responses=declared(401, 404))
async def listing(at: DeskDep) -> list[CaseAnswer]:
    """The cases in sight: open ones first, by the date of review."""
    found = await rows.listed(at.records, at.session, at.scope.cameras)
    now_ns = at.records.clock_ns()
    return [CaseAnswer(**shapes.said(row, at.session.staff_id, now_ns)) for row in found]


@router.post("", status_code=201, responses=declared(401, 404))
async def add(body: CaseBody, at: DeskDep) -> WholeCase:
    """Open a case. Its number counts within the year."""
    require_step_up(at.records, at.session)
    _check_review(at.records, body.review)
    case_id = await rows.add(
        at.records, at.session, at.purpose_id, body.title.strip(), body.reason.strip(), body.review
    )
    return await _whole(at, case_id)


@router.get("/{case_id}", responses=declared(401, 404))
async def one(at: DeskDep, case_id: UUID) -> WholeCase:
    """A case with its holds, notes and clips."""
    return await _whole(at, case_id)


@router.post("/{case_id}/review", responses=declared(401, 404, 409))
async def review(body: ReviewBody, at: DeskDep, case_id: UUID) -> WholeCase:
    """Set the next date of review."""
    await _case(at, case_id)
    _check_review(at.records, body.review)
    if not await rows.put_review(at.records, at.session, at.purpose_id, case_id, body.review):
        raise _ended()
    return await _whole(at, case_id)


@router.post("/{case_id}/holds", status_code=201, responses=declared(401, 404, 409))
async def hold(body: HoldBody, at: DeskDep, case_id: UUID) -> HeldAnswer:
    """Keep footage for the case. What has expired already cannot be kept."""
    await _case(at, case_id)
    require_step_up(at.records, at.session)
    span = checked_span(body.start, body.end, longest_ns=DAY_NS)
    cameras = [at.scope.camera(CameraId(each)).camera_id for each in dict.fromkeys(body.camera_ids)]
    kept = 0
    for camera_id in cameras:
        kept += await asked(
            at.custodian.place_hold(
                case_id,
                kind=body.kind,
                camera_id=camera_id,
                span=span,
                session_id=at.session.session_id,
                purpose_id=at.purpose_id,
            ),
            STATE,
        )
    if body.kind == "restriction":
        at.opened_clips.clear()  # those that are opened again are refused; streams under way end by themselves
    return HeldAnswer(segments=kept)


@router.post("/{case_id}/entries", status_code=201, responses=declared(401, 404, 409))
async def entry(body: EntryBody, at: DeskDep, case_id: UUID) -> WholeCase:
    """Add a note, or bookmark a clip."""
    await _case(at, case_id)
    clip = None
    if body.camera_id is not None:
        if body.start is None or body.end is None:
            raise Problem(422, "span", "A clip has a start and an end.", "Give both, or leave out the camera.")
        camera = at.scope.camera(CameraId(body.camera_id))
        clip = (camera.camera_id, checked_span(body.start, body.end, longest_ns=DAY_NS))
    elif not body.note.strip():
        raise Problem(422, "empty-note", "The note is empty.", "Write a note, or bookmark a clip.")
    if not await rows.add_entry(at.records, at.session, at.purpose_id, case_id, body.note.strip(), clip):
        raise _ended()
    return await _whole(at, case_id)


@router.get("/{case_id}/bookmarks", responses=declared(401, 404))
async def bookmarked(at: DeskDep, case_id: UUID) -> list[BookmarkAnswer]:
    """The bookmarks that the case lists, of cameras that this person may look at."""
    await _case(at, case_id)
    scope = await load_scope(at.records, at.session, rights.LOOK)
    return bookmark_answers(
        await bookmarks.listed(at.records, scope.cameras, case_id=case_id), scope, at.session.staff_id
    )


@router.post("/{case_id}/bookmarks", status_code=204, responses=declared(401, 404, 409))
async def file_bookmark(body: FileBody, at: DeskDep, case_id: UUID) -> None:
    """List a bookmark in the case, which keeps its moment. It stays a bookmark of the footage, too."""
    await _case(at, case_id)
    scope = await load_scope(at.records, at.session, rights.LOOK)
    found = await bookmarks.listed(at.records, scope.cameras, bookmark_id=body.bookmark_id)
    if not found:
        raise not_found()
    if not await bookmarks.file(at.records, at.session, at.purpose_id, found[0], case_id):
        remedy = "Keep the footage for the case first."
        raise Problem(409, "bookmark-case", "The case does not keep this moment, or it has ended.", remedy)


@router.post("/{case_id}/end", responses=declared(401, 404, 409))
async def ask_end(at: DeskDep, case_id: UUID) -> WholeCase:
    """The first person's word that the case may end. A colleague ends it."""
    await _case(at, case_id)
    require_step_up(at.records, at.session)
    await asked(at.custodian.ask_case_end(case_id, at.session.session_id, at.purpose_id), STATE)
    return await _whole(at, case_id)


@router.post("/{case_id}/keep", responses=declared(401, 404, 409))
async def keep(at: DeskDep, case_id: UUID) -> WholeCase:
    """Keep a case open whose end was asked for."""
    await _case(at, case_id)
    require_step_up(at.records, at.session)
    await asked(at.custodian.keep_case(case_id, at.session.session_id, at.purpose_id), STATE)
    return await _whole(at, case_id)


@router.post("/{case_id}/confirm-end", responses=declared(401, 404, 409))
async def end(at: DeskDep, case_id: UUID) -> EndedAnswer:
    """The second person's word: the case and its holds end. What only they kept is destroyed at once."""
    row = await _case(at, case_id)
    if row.closing_by == at.session.staff_id:
        raise Problem(403, "own-case", "A case ends by two people.", "Ask a colleague.")
    require_step_up(at.records, at.session)
    expired = await asked(at.custodian.end_case(case_id, at.session.session_id, at.purpose_id), STATE)
    return EndedAnswer(segments_expired=expired)


async def _case(at: Desk, case_id: UUID) -> CaseRow:
    """404 unless the case is in sight."""
    row = await rows.find(at.records, at.session, case_id, at.scope.cameras)
    if row is None:
        raise not_found()
    return row


def _check_review(records: Records, review_ns: int) -> None:
    now_ns = records.clock_ns()
    if not now_ns < review_ns <= now_ns + REVIEW_MAX_NS:
        raise Problem(422, "review-date", "The date of review is not within a year.", "Choose an earlier one.")


def _ended() -> Problem:
    return Problem(409, STATE, "The case has ended.", "Open another one.")


async def _whole(at: Desk, case_id: UUID) -> WholeCase:
    row = await _case(at, case_id)
    holds, entries = await rows.parts(at.records, case_id)
    return shapes.whole(row, holds, entries, at.scope, at.session.staff_id, at.records.clock_ns())

"""Exports over HTTP: ask, follow, make, fetch. `deciding.py` has what the second person does."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Final
from uuid import UUID

from fastapi import APIRouter, Request
from fastapi.responses import Response

from api.export import fetch, rows
from api.export.answers import ExportAnswer, ExportBody
from api.export.exports import Exports, ExportsDep
from api.export.make import Making, minor_unapproved
from api.export.manifest import enclosures, public_pem
from api.export.rights import (
    ENDED,
    approval_needed,
    concerning,
    ended,
    load_view,
    may_export,
    minors_seen,
    record_shown,
)
from api.export.rows import ExportRow
from api.http.problems import Problem, declared, no_footage, not_found
from api.http.times import checked_span
from api.masked.making import LONGEST_NS as LONGEST_MASKED_NS
from api.records import Records, RecordsDep
from api.search.answers import PENDING_NS
from api.search.coverage import footage_spans
from api.sign_in import rights
from api.sign_in.purposes import Purpose, Stated, StatedInQuery
from api.sign_in.scope import Scope, load_scope
from api.sign_in.sessions import Session, SignedIn, require, require_step_up
from domain.ids import CameraId
from domain.time import HOUR_NS, Span
from storage.catalogue import audit

router = APIRouter(prefix="/v1", tags=["exports"])
LONGEST_NS: Final = 8 * HOUR_NS
_NO_STORE: Final = {"Cache-Control": "no-store"}


@router.post("/exports", status_code=202, responses=declared(401, 404, 429))
async def ask(
    body: ExportBody, records: RecordsDep, exports: ExportsDep, session: SignedIn, purpose: Stated
) -> ExportAnswer:
    """Ask for an export. It may show other people: a second person approves it, then it is made in the background."""
    span = checked_span(body.start, body.end, longest_ns=LONGEST_NS)
    scope = await load_scope(records, session, rights.EXPORT)
    camera_ids = tuple(dict.fromkeys(CameraId(each) for each in body.camera_ids))
    for camera_id in camera_ids:
        may_export(session, scope.camera(camera_id))
    if body.format == "mp4" and len(camera_ids) > 1:
        raise Problem(422, "one-camera", "An MP4 holds one camera.", "Ask for a ZIP, or for one camera.")
    if body.masked and span.duration_ns * len(camera_ids) > LONGEST_MASKED_NS:
        raise Problem(
            422, "too-long-to-mask", "The span is too long to be masked.", "Ask for 15 minutes in all at most."
        )
    require_step_up(records, session)
    if span.end_ns > records.clock_ns():
        what = "The span ends in the future: what has not happened yet cannot be approved."
        raise Problem(422, "not-over", what, "Ask for footage up to now.")
    await _some_footage(records, camera_ids, span)
    minor = await minors_seen(records, camera_ids, span)
    row = ExportRow(
        export_id=uuid.uuid4(),
        staff_id=session.staff_id,
        display_name=session.display_name,
        purpose_id=purpose.purpose_id,
        category="",
        reason="",
        camera_ids=camera_ids,
        span=span,
        format=body.format,
        state="approval",
        attempt=0,
        minor=minor,
        masked=body.masked,
        approved_by=None,
        approver=None,
        problem=None,
        ender=None,
        ended_ns=None,
        refusal=None,
        manifest=None,
        signature=None,
        created_ns=records.clock_ns(),
    )
    await rows.add(records, row, session)
    return (await load_view(records, exports, session)).answer(await _own(records, session, row.export_id))


async def _some_footage(records: Records, camera_ids: Sequence[CameraId], span: Span) -> None:
    """Problem 404: there is no footage and none on its way, so that there is nothing to approve."""
    if span.end_ns > records.clock_ns() - PENDING_NS:
        return
    if not await footage_spans(records, camera_ids, span):
        raise no_footage()


@router.get("/exports", responses=declared(401, 404))
async def listing(records: RecordsDep, exports: ExportsDep, session: SignedIn) -> list[ExportAnswer]:
    """One's own exports of the last month, and those that one may approve; newest first."""
    require(session, rights.APPROVE)
    view = await load_view(records, exports, session)
    found = await rows.listed(records, session.staff_id, view.scope.cameras)
    shown = [row for row in found if view.concerns(row)]
    await record_shown(records, exports, session, {row.export_id: row.camera_ids for row in shown})
    return [view.answer(row) for row in shown]


@router.get("/exports/{export_id}", responses=declared(401, 404))
async def one(records: RecordsDep, exports: ExportsDep, session: SignedIn, export_id: UUID) -> ExportAnswer:
    """The state of an export."""
    require(session, rights.APPROVE)
    view = await load_view(records, exports, session)
    row = await concerning(records, view, export_id)
    if row.staff_id != session.staff_id:  # what one has asked for oneself is on record
        await record_shown(records, exports, session, {row.export_id: row.camera_ids})
    return view.answer(row)


@router.post("/exports/{export_id}/prepare", responses=declared(401, 404, 409, 429))
async def prepare(
    records: RecordsDep, exports: ExportsDep, session: SignedIn, purpose: Stated, export_id: UUID
) -> ExportAnswer:
    """Make it (again): after an approval, a failure or an interruption, or because footage has expired since."""
    row = await _own(records, session, export_id)
    require_step_up(records, session)
    scope = await load_scope(records, session, rights.EXPORT)
    for camera_id in row.camera_ids:
        scope.camera(camera_id)
    if row.state in ENDED:
        raise ended(row)
    if row.state != "approval" and export_id not in exports.jobs.at_work():
        exports.jobs.require_room()
        attempt = await rows.begin(records, row)
        row = await _own(records, session, export_id)
        if attempt is not None and row.state == "working":
            _start(records, exports, session, purpose, scope, replace(row, attempt=attempt))
    if row.state == "approval":
        raise approval_needed()
    view = await load_view(records, exports, session)
    return view.answer(await _own(records, session, export_id))


_ANSWERS: Final[dict[int | str, dict[str, Any]]] = {
    200: {"description": "The file.", "content": {"application/zip": {}, "video/mp4": {}}}
}


@router.get("/exports/{export_id}/download", response_class=Response, responses=_ANSWERS | declared(401, 404, 409))
async def download(
    request: Request,
    records: RecordsDep,
    exports: ExportsDep,
    session: SignedIn,
    purpose: StatedInQuery,
    export_id: UUID,
) -> Response:
    """The ZIP or MP4, created while it is sent."""
    row = await _ready(records, session, export_id)
    require_step_up(records, session)
    if await minor_unapproved(records, session, row, row.camera_ids, row.span):
        raise approval_needed()
    head_only = request.method == "HEAD"
    answer = await fetch.response(records, exports, session, purpose.purpose_id, row, head_only=head_only)
    if not head_only:
        await audit.append(records.pool, rows.entry(session, row, "export_fetched"), records.clock_ns())
    return answer


router.add_api_route(
    "/exports/{export_id}/download", download, methods=["HEAD"], response_class=Response, include_in_schema=False
)


@router.get("/exports/{export_id}/manifest.json", response_class=Response, responses=declared(401, 404, 409))
async def manifest(records: RecordsDep, session: SignedIn, export_id: UUID) -> Response:
    """The manifest as it is signed. A ZIP contains it too."""
    row = await _ready(records, session, export_id)
    return Response(row.manifest, media_type="application/json", headers=_NO_STORE)


@router.get("/exports/{export_id}/manifest.sig", response_class=Response, responses=declared(401, 404, 409))
async def signature(records: RecordsDep, session: SignedIn, export_id: UUID) -> Response:
    """64 bytes: Ed25519 over manifest.json."""
    row = await _ready(records, session, export_id)
    return Response(row.signature, media_type="application/octet-stream", headers=_NO_STORE)


@router.get("/export-key.pem", response_class=Response, responses=declared())
async def key(exports: ExportsDep) -> Response:
    """The public key that verifies exports, for their receivers."""
    return Response(public_pem(exports.key.export_key), media_type="application/x-pem-file")


@router.get("/export-verifier.py", response_class=Response, responses=declared())
async def verifier() -> Response:
    """The script that checks an export; it needs Python and openssl."""
    headers = {"Content-Disposition": 'attachment; filename="verify.py"'}
    return Response(enclosures()["verify.py"], media_type="text/x-python", headers=headers)


def _start(
    records: Records, exports: Exports, session: Session, purpose: Purpose, scope: Scope, row: ExportRow
) -> None:
    making = Making(
        records=records, exports=exports, session=session, purpose_id=purpose.purpose_id, scope=scope, row=row
    )
    exports.jobs.start(row.export_id, making.run)


async def _own(records: Records, session: Session, export_id: UUID) -> ExportRow:
    require(session, rights.EXPORT)
    row = await rows.find(records, export_id)
    if row is None or row.staff_id != session.staff_id:
        raise not_found()
    return row


async def _ready(records: Records, session: Session, export_id: UUID) -> ExportRow:
    row = await _own(records, session, export_id)
    scope = await load_scope(records, session, rights.EXPORT)
    for camera_id in row.camera_ids:
        scope.camera(camera_id)
    if row.state != "ready":
        raise Problem(409, "not-ready", "The export is not ready.", "Look at its state; it may have to be prepared.")
    return row

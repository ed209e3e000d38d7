"""Exports over HTTP: ask, approve, watch, fetch."""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Annotated, Any, Final, Literal
from uuid import UUID

from fastapi import APIRouter, Request
from fastapi.responses import Response
from pydantic import BaseModel, ConfigDict, Field

from api.export import fetch, rows
from api.export.exports import Exports, ExportsDep
from api.export.make import Making, still_to_approve
from api.export.manifest import enclosures, fingerprint, public_pem
from api.export.rights import approval_needed, may_export, minors_seen
from api.export.rows import ExportRow
from api.http.jobs import Progress
from api.http.problems import Problem, declared, no_footage, not_found
from api.http.times import Instant, checked_span
from api.records import Records, RecordsDep
from api.search.coverage import PENDING_NS, footage_spans
from api.sign_in import rights
from api.sign_in.purposes import Purpose, Stated, StatedInQuery
from api.sign_in.scope import Scope, load_scope
from api.sign_in.sessions import Session, SignedIn, require, require_step_up
from domain.ids import CameraId
from domain.time import HOUR_NS, Span, to_iso
from storage.catalogue import audit

router = APIRouter(prefix="/v1", tags=["exports"])
LONGEST_NS: Final = 8 * HOUR_NS
CAMERAS_MAX: Final = 16
_NO_STORE: Final = {"Cache-Control": "no-store"}


class ExportBody(BaseModel):
    """The cameras and the span [start, end) to export."""

    model_config = ConfigDict(extra="forbid")
    camera_ids: Annotated[list[UUID], Field(min_length=1, max_length=CAMERAS_MAX)]
    start: Instant
    end: Instant
    format: Literal["zip", "mp4"] = Field("zip", description="`mp4`: of one camera, the manifest apart.")


class ExportCamera(BaseModel):
    """A camera of an export."""

    camera_id: UUID
    name: str


class ExportedFileAnswer(BaseModel):
    """A finished file of an export; `start` and `end` are its true span."""

    name: str
    camera: str
    start: str
    end: str
    size_bytes: int
    sha256: str


class ExportAnswer(BaseModel):
    """An export and its progress in bytes."""

    export_id: UUID
    state: str = Field(description="approval, approved, working, interrupted, ready or failed.")
    problem: str | None
    done_bytes: int
    total_bytes: int
    cameras: list[ExportCamera]
    start: str
    end: str
    time_zone: str
    format: str
    minor: bool = Field(description="A minor passed: the approver should know.")
    own: bool
    may_approve: bool
    asked_by: str
    approved_by: str | None
    purpose: str
    reason: str
    created: str
    files: list[ExportedFileAnswer]
    key_sha256: str


@router.post("/exports", status_code=202, responses=declared(401, 404, 429))
async def ask(
    body: ExportBody, records: RecordsDep, exports: ExportsDep, session: SignedIn, purpose: Stated
) -> ExportAnswer:
    """Ask for an export. Nothing in it is masked: a second person approves it, then it is made in the background."""
    span = checked_span(body.start, body.end, longest_ns=LONGEST_NS)
    scope = await load_scope(records, session, rights.EXPORT)
    camera_ids = tuple(dict.fromkeys(CameraId(each) for each in body.camera_ids))
    for camera_id in camera_ids:
        may_export(session, scope.camera(camera_id))
    if body.format == "mp4" and len(camera_ids) > 1:
        raise Problem(422, "one-camera", "An MP4 holds one camera.", "Ask for a ZIP, or for one camera.")
    require_step_up(records, session)
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
        minor=minor,
        approved_by=None,
        approver=None,
        problem=None,
        manifest=None,
        signature=None,
        created_ns=records.clock_ns(),
    )
    await rows.add(records, row, session)
    return await _answer(records, exports, session, await _own(records, session, row.export_id))


async def _some_footage(records: Records, camera_ids: Sequence[CameraId], span: Span) -> None:
    """404 where there is no footage and none on its way: otherwise a colleague would be asked to approve nothing."""
    if span.end_ns > records.clock_ns() - PENDING_NS:
        return
    if not await footage_spans(records, camera_ids, span):
        raise no_footage()


@router.get("/exports", responses=declared(401, 404))
async def listing(records: RecordsDep, exports: ExportsDep, session: SignedIn) -> list[ExportAnswer]:
    """One's own of the last month, and those that one may approve; newest first."""
    require(session, rights.APPROVE)
    scope = await load_scope(records, session, rights.APPROVE)
    at_work = exports.jobs.at_work()
    found = await rows.listed(records, session.staff_id, scope.cameras)
    return [_said(exports, session, scope, row, at_work) for row in found if _concerns(session, scope, row)]


@router.get("/exports/{export_id}", responses=declared(401, 404))
async def one(records: RecordsDep, exports: ExportsDep, session: SignedIn, export_id: UUID) -> ExportAnswer:
    """How far it has come."""
    require(session, rights.APPROVE)
    at_work = exports.jobs.at_work()
    row = await rows.find(records, export_id)
    scope = await load_scope(records, session, rights.APPROVE)
    if row is None or not _concerns(session, scope, row):
        raise not_found()
    return _said(exports, session, scope, row, at_work)


@router.post("/exports/{export_id}/approve", responses=declared(401, 404, 409))
async def approve(records: RecordsDep, exports: ExportsDep, session: SignedIn, export_id: UUID) -> ExportAnswer:
    """The second person's word. Never one's own."""
    require(session, rights.APPROVE)
    row = await rows.find(records, export_id)
    scope = await load_scope(records, session, rights.APPROVE)
    if row is None or not _concerns(session, scope, row):
        raise not_found()
    if row.staff_id == session.staff_id:
        raise Problem(403, "own-export", "Nobody approves their own export.", "Ask a colleague.")
    require_step_up(records, session)
    if not await rows.approve(records, row, session):
        raise Problem(409, "not-waiting", "The export does not wait for approval.", "Look at it again.")
    found = await rows.find(records, export_id)
    assert found is not None
    return _said(exports, session, scope, found, {})


@router.post("/exports/{export_id}/prepare", responses=declared(401, 404, 409, 429))
async def prepare(
    records: RecordsDep, exports: ExportsDep, session: SignedIn, purpose: Stated, export_id: UUID
) -> ExportAnswer:
    """Make it (again): after an approval, a failure or an interruption, or because footage has expired since."""
    row = await _own(records, session, export_id)
    require_step_up(records, session)
    if row.approved_by is None or row.state == "approval":
        await rows.put_state(records, row.export_id, "approval")
        raise approval_needed()
    scope = await load_scope(records, session, rights.EXPORT)
    for camera_id in row.camera_ids:
        scope.camera(camera_id)
    if export_id not in exports.jobs.at_work():
        exports.jobs.require_room()
        await rows.put_state(records, row.export_id, "working")
    _start(records, exports, session, purpose, scope, row)
    return await _answer(records, exports, session, replace(row, state="working", problem=None, manifest=None))


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
    """The ZIP or MP4, made on the way: nothing of it lies anywhere."""
    row = await _ready(records, session, export_id)
    require_step_up(records, session)
    if await still_to_approve(records, row, row.camera_ids, row.span):
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
    """As it is signed. A ZIP holds it too."""
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


def _concerns(session: Session, scope: Scope, row: ExportRow) -> bool:
    """One's own, or one that one may approve: all of its cameras are in sight."""
    return row.staff_id == session.staff_id or all(camera_id in scope.cameras for camera_id in row.camera_ids)


async def _answer(records: Records, exports: Exports, session: Session, row: ExportRow) -> ExportAnswer:
    at_work = exports.jobs.at_work()
    return _said(exports, session, await load_scope(records, session, rights.APPROVE), row, at_work)


def _said(
    exports: Exports, session: Session, scope: Scope, row: ExportRow, at_work: Mapping[UUID, Progress]
) -> ExportAnswer:
    progress = at_work.get(row.export_id)
    own = row.staff_id == session.staff_id
    state = "interrupted" if row.state == "working" and progress is None else row.state
    sites = {scope.cameras[each].site_id for each in row.camera_ids if each in scope.cameras}
    return ExportAnswer(
        export_id=row.export_id,
        state=state,
        problem=row.problem,
        done_bytes=progress.done if progress else 0,
        total_bytes=progress.total if progress else 0,
        cameras=[
            ExportCamera(camera_id=each, name=scope.cameras[each].name if each in scope.cameras else "–")
            for each in row.camera_ids
        ],
        start=to_iso(row.span.start_ns),
        end=to_iso(row.span.end_ns),
        time_zone=scope.zone_of(min(sites)) if sites else "UTC",
        format=row.format,
        minor=row.minor,
        own=own,
        may_approve=not own and row.state == "approval",
        asked_by=row.display_name,
        approved_by=row.approver,
        purpose=row.category,
        reason=row.reason,
        created=to_iso(row.created_ns),
        files=_files(row) if state == "ready" else [],
        key_sha256=fingerprint(exports.key.export_key),
    )


def _files(row: ExportRow) -> list[ExportedFileAnswer]:
    if row.manifest is None:
        return []
    wanted = set(ExportedFileAnswer.model_fields)
    said = json.loads(row.manifest)["files"]
    return [ExportedFileAnswer(**{name: value for name, value in file.items() if name in wanted}) for file in said]

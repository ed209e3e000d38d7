"""Who may export a camera's footage, who sees an export, and when a second person has to approve it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final
from uuid import UUID

from api.credentials.handover import in_one_hand
from api.export import rows
from api.export.answers import View
from api.export.exports import Exports
from api.export.manifest import fingerprint
from api.export.rows import ExportRow
from api.http.problems import Problem, not_found
from api.records import Records
from api.sign_in import rights
from api.sign_in.scope import CameraRow, load_scope
from api.sign_in.sessions import Session, SignedIn
from domain.ids import CameraId
from domain.time import Span
from runtime import sql
from runtime.database import wrapped_errors
from storage.catalogue import audit

ENDED: Final = ("refused", "cancelled", "lapsed")
"""The states of an export that ended without an approval."""


def may_export(session: SignedIn, camera: CameraRow) -> None:
    """404 unless the person may export this camera's footage."""
    mine = [
        grant
        for grant in session.grants
        if grant.site_id in (None, camera.site_id) and grant.camera_id in (None, camera.camera_id)
    ]
    if not rights.has_any(mine, rights.EXPORT):
        raise not_found()


async def minors_seen(records: Records, camera_ids: Sequence[CameraId], span: Span) -> bool:
    """Whether a minor's credential was used at a door that one of the cameras saw, so that the span shows it."""
    with wrapped_errors():
        found = await records.pool.fetchval(
            sql.load("api.export", "minors_seen"), list(camera_ids), span.start_ns, span.end_ns
        )
    return bool(found)


def one_hand() -> Problem:
    """Return problem 403: asker and approver may be one person."""
    return Problem(
        403,
        "one-hand",
        "Your account and the asker's count as one person: an administrator set them up in the last three days.",
        "Ask a colleague whose account is older.",
    )


def approval_needed() -> Problem:
    """Return problem 403: a second person must approve this export first."""
    return Problem(
        403,
        "approval-needed",
        "A copy may show other people, too: a second person has to approve it.",
        "Ask a colleague to approve it under Exports.",
    )


def ended(row: ExportRow) -> Problem:
    """Return problem 409: it was refused, cancelled, or some of its footage has ended while it waited."""
    why = {"refused": f"The export was refused: {row.refusal}", "cancelled": "The export was cancelled."}
    what = why.get(row.state, "Some of the export's footage has ended while it waited.")
    return Problem(409, f"export-{row.state}", what, "Ask for another export.")


async def record_shown(
    records: Records, exports: Exports, session: Session, shown: Mapping[UUID, Sequence[CameraId]]
) -> None:
    """An export says whose cameras were watched when, and why: to read that is on record, once in a while.

    shown: the cameras of each
    """
    now_ns = records.clock_ns()
    ids = exports.listed.unrecorded(session.session_id, shown, now_ns)
    if not ids and shown:
        return
    cameras = {str(camera_id) for export_id in ids for camera_id in shown[export_id]}
    entry = audit.Entry(
        actor=session.actor,
        action="exports_listed",
        session_id=session.session_id,
        detail={"exports": [str(each) for each in ids], "cameras": sorted(cameras)},
    )
    await audit.append(records.pool, entry, now_ns)
    exports.listed.add(session.session_id, ids, now_ns)


async def concerning(records: Records, view: View, export_id: UUID) -> ExportRow:
    """Return an export that concerns the person; 404."""
    row = await rows.find(records, export_id)
    if row is None or not view.concerns(row):
        raise not_found()
    return row


async def load_view(records: Records, exports: Exports, session: Session) -> View:
    """Return how the person sees exports."""
    at_work = exports.jobs.at_work()
    return View(
        staff_id=session.staff_id,
        scope=await load_scope(records, session, rights.APPROVE),
        one_hand=await in_one_hand(records.pool, session.staff_id, records.clock_ns()),
        at_work=at_work,
        key_sha256=fingerprint(exports.key.export_key),
    )

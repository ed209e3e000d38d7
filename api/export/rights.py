"""Who may export a camera's footage, and when a second person has to approve it."""

from __future__ import annotations

from collections.abc import Sequence

from api.http.problems import Problem, not_found
from api.records import Records
from api.sign_in import rights
from api.sign_in.scope import CameraRow
from api.sign_in.sessions import SignedIn
from domain.ids import CameraId
from domain.time import Span
from runtime import sql
from runtime.database import wrapped_errors


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
        "A copy shows other people, too, unmasked: a second person has to approve it.",
        "Ask a colleague to approve it under Exports.",
    )

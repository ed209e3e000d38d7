"""Bookmarks over HTTP: added and removed. The timeline of a camera and the page of a case list them."""

from __future__ import annotations

from uuid import UUID

from fastapi import APIRouter

from api.bookmarks import rows
from api.bookmarks.shapes import BookmarkAnswer, BookmarkBody, bookmark_answers
from api.http.problems import Problem, declared, not_found
from api.records import RecordsDep
from api.sign_in import rights
from api.sign_in.purposes import Stated
from api.sign_in.scope import load_scope
from api.sign_in.sessions import SignedIn
from domain.ids import CameraId

router = APIRouter(prefix="/v1/bookmarks", tags=["bookmarks"])


@router.post("", status_code=201, responses=declared(401, 404, 409))
async def add(records: RecordsDep, session: SignedIn, purpose: Stated, body: BookmarkBody) -> BookmarkAnswer:
    """Bookmark a moment of footage that may be looked at. All who may look at the camera see the bookmark."""
    scope = await load_scope(records, session, rights.LOOK)
    camera = scope.camera(CameraId(body.camera_id))
    added = await rows.add(records, session, purpose.purpose_id, camera.camera_id, body.at, body.note.strip())
    if added is None:
        raise Problem(
            409, "bookmark-footage", "There is no footage of this moment to bookmark.", "Choose another moment."
        )
    found = await rows.listed(records, [camera.camera_id], bookmark_id=added)
    if not found:  # the footage ended meanwhile, and the bookmark with it
        raise not_found()
    return bookmark_answers(found, scope, session.staff_id)[0]


@router.post("/{bookmark_id}/remove", status_code=204, responses=declared(401, 404))
async def remove(records: RecordsDep, session: SignedIn, purpose: Stated, bookmark_id: UUID) -> None:
    """Remove a bookmark of one's own."""
    if not await rows.remove(records, session, purpose.purpose_id, bookmark_id):
        raise not_found()

"""The picture of a moment. It is a look like any other: the audit entry comes before the key."""

from __future__ import annotations

from typing import Any, Final
from uuid import UUID

from fastapi import APIRouter
from fastapi.responses import Response

from api.errors import NoPictureError
from api.footage import NoFootageError
from api.footage.cache import ClipRequest
from api.footage.opening import Footage, FootageDep
from api.footage.thumbnail.pictures import Pictures, PicturesDep
from api.footage.thumbnail.pipe import INPUT_MAX
from api.http.problems import Problem, declared
from api.http.times import Start
from api.records import RecordsDep
from api.sign_in.purposes import StatedInQuery
from api.sign_in.scope import visible_camera
from api.sign_in.sessions import SignedIn
from domain.ids import CameraId
from domain.time import Span

router = APIRouter(prefix="/v1", tags=["footage"])
_MS: Final = 1_000_000
_ANSWERS: Final[dict[int | str, dict[str, Any]]] = {
    200: {"description": "The picture of the moment, 320 wide.", "content": {"image/jpeg": {}}}
}


@router.get("/cameras/{camera_id}/thumbnail.jpg", response_class=Response, responses=_ANSWERS | declared(401, 404, 429))
async def thumbnail(
    records: RecordsDep,
    footage: FootageDep,
    pictures: PicturesDep,
    session: SignedIn,
    purpose: StatedInQuery,
    camera_id: UUID,
    at: Start,
) -> Response:
    """One small picture. Kept for five minutes for the same session and purpose, in memory only."""
    camera = await visible_camera(records, session, CameraId(camera_id))
    start_ns = at // _MS * _MS
    asked = ClipRequest(
        session_id=session.session_id,
        purpose_id=purpose.purpose_id,
        action="look",
        camera_id=camera.camera_id,
        span=Span(start_ns, start_ns + _MS),
    )
    try:
        data = await _picture(footage, pictures, asked, records.clock_ns())
    except (NoFootageError, NoPictureError) as exc:
        raise Problem(
            404, "no-footage", "There is no picture of this moment.", "The camera's timeline shows the gaps and why."
        ) from exc
    return Response(data, media_type="image/jpeg")


async def _picture(footage: Footage, pictures: Pictures, asked: ClipRequest, now_ns: int) -> bytes:
    if (kept := pictures.kept(asked, now_ns)) is not None:
        return kept
    reader = await footage.clip(asked)
    if reader.size_bytes > INPUT_MAX:
        raise NoPictureError("The picture is too far from its key frame.")
    clip = b"".join([bytes(piece) async for piece in reader.stream()])
    # Times of a clip are rounded to the millisecond: a picture of the moment's own millisecond counts.
    at_us = (asked.span.end_ns - 1 - reader.span.start_ns) // 1000
    return await pictures.make(asked, clip, now_ns, at_us=at_us)

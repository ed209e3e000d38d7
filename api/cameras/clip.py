"""Serves the clip of a span of one camera: an MP4 that is watched by ranges and opened while it is sent."""

from __future__ import annotations

from functools import partial
from typing import Annotated, Final
from uuid import UUID

from fastapi import APIRouter, Header, Request
from fastapi.responses import Response

from api.cameras.parts import PART_ANSWERS, Converted, part_of_clip
from api.footage.cache import ClipRequest
from api.footage.opening import FootageDep
from api.http.problems import declared
from api.http.times import End, Start, checked_span
from api.records import RecordsDep
from api.sign_in import rights
from api.sign_in.purposes import StatedInQuery
from api.sign_in.scope import visible_camera
from api.sign_in.sessions import SignedIn, still_may
from domain.ids import CameraId
from domain.time import HOUR_NS

router = APIRouter(prefix="/v1", tags=["footage"])
LONGEST_NS: Final = 2 * HOUR_NS


@router.get(
    "/cameras/{camera_id}/clip.mp4",
    status_code=206,
    response_class=Response,
    responses=PART_ANSWERS | declared(401, 404, 416),
)
async def clip(
    request: Request,
    records: RecordsDep,
    footage: FootageDep,
    session: SignedIn,
    purpose: StatedInQuery,
    camera_id: UUID,
    start: Start,
    end: End,
    range: Annotated[str | None, Header(description="`bytes=first-last`; needed.")] = None,
    wanted: Converted = None,
) -> Response:
    """Footage of [start, end), from the key frame at or before the start, a part at a time, as a player asks for it."""
    span = checked_span(start, end, longest_ns=LONGEST_NS)
    camera = await visible_camera(records, session, CameraId(camera_id))
    asked = ClipRequest(
        session_id=session.session_id,
        purpose_id=purpose.purpose_id,
        action="look",
        camera_id=camera.camera_id,
        span=span,
    )
    still = partial(still_may, records, session.session_id, rights.LOOK, [camera.camera_id])
    return await part_of_clip(request, records, footage, session, asked, still, wanted)


router.add_api_route(
    "/cameras/{camera_id}/clip.mp4", clip, methods=["HEAD"], response_class=Response, include_in_schema=False
)

"""Watching live: a look at each camera, on record with the custodian before its first picture."""

from __future__ import annotations

from functools import partial
from typing import Annotated, Any, Final
from uuid import UUID

from fastapi import APIRouter
from fastapi.responses import Response
from pydantic import BaseModel, Field

from api.footage.opening import FootageDep
from api.http.problems import declared
from api.http.streaming import StreamedResponse
from api.live.doors import tell_events
from api.live.room import CAMERAS_MAX, LiveDep
from api.live.streaming import LookAsked, frames
from api.live.turn import IceServer, ice_servers
from api.records import Records, RecordsDep
from api.sign_in import rights
from api.sign_in.purposes import Stated
from api.sign_in.scope import visible_camera
from api.sign_in.sessions import Session, SignedIn, require, still_may
from domain.ids import CameraId
from domain.time import Span

router = APIRouter(prefix="/v1", tags=["live"])
_OFFER_MAX: Final = 32 << 10
MEDIA_TYPE: Final = "application/vnd.tallenne.live"
_ANSWERS: Final[dict[int | str, dict[str, Any]]] = {
    200: {"description": "Frames, for as long as the cameras are watched.", "content": {MEDIA_TYPE: {}}}
}


class LiveLook(BaseModel):
    """One camera to be watched."""

    camera_id: UUID
    offer: Annotated[str, Field(max_length=_OFFER_MAX)] = Field(
        "", description="The browser's SDP offer of one video to receive; empty for fragments in this answer."
    )
    small: bool = Field(
        False,
        description="Of the camera's smaller stream, where it has one and that one works: for a wall, or a phone.",
    )
    convert: bool = Field(
        False, description="Convert what is not H.264, for a browser that cannot play it. It costs CPU."
    )


class LiveRequest(BaseModel):
    """The cameras that are watched together; each is a look of its own."""

    cameras: list[LiveLook] = Field(min_length=1, max_length=CAMERAS_MAX)


@router.get("/live/ice-servers", responses=declared(401, 404))
async def servers(records: RecordsDep, live: LiveDep, session: SignedIn) -> list[IceServer]:
    """The TURN server that a browser may need to reach the cameras' pictures, with credentials for an hour."""
    require(session, rights.LOOK)
    return ice_servers(live.turn, records.clock_ns())


@router.post("/live", response_class=Response, responses=_ANSWERS | declared(401, 404))
async def watch(
    records: RecordsDep,
    live: LiveDep,
    footage: FootageDep,
    session: SignedIn,
    purpose: Stated,
    request: LiveRequest,
) -> Response:
    """Pictures of now. The looks last as long as the answer; the custodian records each before it begins, and each
    minute of it. They end within 5 s of sign-out, or when a right or a camera is withdrawn."""
    asked = []
    for wanted in request.cameras:
        camera = await visible_camera(records, session, CameraId(wanted.camera_id))
        asked.append(
            LookAsked(camera_id=camera.camera_id, offer=wanted.offer, small=wanted.small, convert=wanted.convert)
        )
    doors = partial(tell_events, records, [look.camera_id for look in asked])
    place = partial(live.places.take, session.staff_id)
    stream = partial(frames, live.client, session.session_id, purpose.purpose_id, asked, doors, place)
    headers = {"Content-Type": MEDIA_TYPE, "Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    still = partial(_still, records, session)
    return StreamedResponse(200, headers, stream, footage.priority, still, head_only=False)


async def _still(records: Records, session: Session) -> bool:
    """Whether the session goes on; what each camera's look may, the custodian decides."""
    now_ns = records.clock_ns()
    return await still_may(records, session.session_id, rights.LOOK, [], Span(now_ns, now_ns + 1))

"""The clip of a span of one camera, as an MP4 that is read by ranges and opened on the way."""

from __future__ import annotations

import hashlib
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any, Final
from uuid import UUID

from fastapi import APIRouter, Request
from fastapi.responses import Response

from api.footage import ClipReader, NoFootageError
from api.footage.cache import ClipRequest
from api.footage.opening import FootageDep
from api.http.priority import Priority
from api.http.problems import Problem, declared, no_footage
from api.http.ranges import ByteRange, UnsatisfiableRangeError, parse_range
from api.http.streaming import StreamedResponse
from api.http.times import End, Start, checked_span
from api.records import RecordsDep
from api.sign_in.purposes import StatedInQuery
from api.sign_in.scope import CameraRow, visible_camera
from api.sign_in.sessions import SignedIn, alive
from domain.ids import CameraId
from domain.time import HOUR_NS, to_iso

router = APIRouter(prefix="/v1", tags=["footage"])
LONGEST_NS: Final = 2 * HOUR_NS

_ANSWERS: Final[dict[int | str, dict[str, Any]]] = {
    200: {"description": "The whole clip.", "content": {"video/mp4": {}}},
    206: {"description": "One range of it.", "content": {"video/mp4": {}}},
}


@router.get("/cameras/{camera_id}/clip.mp4", response_class=Response, responses=_ANSWERS | declared(401, 404, 416))
async def clip(
    request: Request,
    records: RecordsDep,
    footage: FootageDep,
    session: SignedIn,
    purpose: StatedInQuery,
    camera_id: UUID,
    start: Start,
    end: End,
) -> Response:
    """Footage of [start, end), from the key frame at or before the start. To be watched: copies are exports."""
    span = checked_span(start, end, longest_ns=LONGEST_NS)
    camera = await visible_camera(records, session, CameraId(camera_id))
    asked = ClipRequest(
        session_id=session.session_id,
        purpose_id=purpose.purpose_id,
        action="look",
        camera_id=camera.camera_id,
        span=span,
    )
    try:
        reader = await footage.clip(asked)
    except NoFootageError as exc:
        raise no_footage() from exc
    headers = _headers(reader, camera)
    try:
        wanted = _wanted(request, reader, headers["ETag"])
    except UnsatisfiableRangeError:
        raise Problem(
            416,
            "range",
            "One byte range within the clip, please.",
            "Ask for one range at a time.",
            headers={"Content-Range": f"bytes */{reader.size_bytes}"},
        ) from None
    still = partial(alive, records, session.session_id)
    return ClipResponse(reader, wanted, headers, footage.priority, still, head_only=request.method == "HEAD")


router.add_api_route(
    "/cameras/{camera_id}/clip.mp4", clip, methods=["HEAD"], response_class=Response, include_in_schema=False
)


def _headers(reader: ClipReader, camera: CameraRow) -> dict[str, str]:
    seed = f"{camera.camera_id} {reader.footage} {reader.size_bytes}"
    return {
        "Accept-Ranges": "bytes",
        "Content-Type": reader.mime,
        "ETag": f'"{hashlib.sha256(seed.encode()).hexdigest()[:32]}"',
        "Tallenne-Clip-Start": to_iso(reader.span.start_ns),
        "Tallenne-Clip-End": to_iso(reader.span.end_ns),
    }


def _wanted(request: Request, reader: ClipReader, etag: str) -> ByteRange | None:
    condition = request.headers.get("if-range")
    if condition is not None and condition.strip() != etag:
        return None
    ranges = request.headers.getlist("range")
    if len(ranges) > 1:
        raise UnsatisfiableRangeError("several Range headers")
    return parse_range(ranges[0] if ranges else None, reader.size_bytes)


class ClipResponse(StreamedResponse):
    """The clip, or one range of it."""

    def __init__(
        self,
        reader: ClipReader,
        wanted: ByteRange | None,
        headers: dict[str, str],
        priority: Priority,
        still: Callable[[], Awaitable[bool]],
        *,
        head_only: bool,
    ) -> None:
        part = wanted or ByteRange(0, reader.size_bytes)
        headers = headers | {"Content-Length": str(part.end - part.start)}
        if wanted is not None:
            headers["Content-Range"] = f"bytes {part.start}-{part.end - 1}/{reader.size_bytes}"
        status = 200 if wanted is None else 206
        super().__init__(
            status,
            headers,
            partial(reader.stream, part.start, part.end),
            priority,
            still,
            head_only=head_only,
        )

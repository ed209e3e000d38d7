"""The clip of a span of one camera, as an MP4 that is read by ranges and opened on the way."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import partial
from typing import Any, Final
from uuid import UUID

from fastapi import APIRouter, Request
from fastapi.responses import Response

from api.footage import ClipReader, NoFootageError, Prefetch, begins_with_key, plan_clip, reached_back
from api.footage.cache import ClipRequest
from api.http.problems import Problem, declared
from api.http.ranges import ByteRange, UnsatisfiableRangeError, parse_range
from api.http.streaming import StreamedResponse
from api.http.times import End, Start, checked_span
from api.services import Ours, Services
from api.sign_in.purposes import StatedInQuery
from api.sign_in.scope import CameraRow, visible_camera
from api.sign_in.sessions import SignedIn, alive
from domain.errors import TallenneError
from domain.footage import Segment
from domain.ids import CameraId
from domain.time import HOUR_NS, MINUTE_NS, Span, to_iso
from storage.catalogue import Catalogue

router = APIRouter(prefix="/v1", tags=["footage"])
LONGEST_NS: Final = 2 * HOUR_NS
_REACH_NS: Final = 3 * MINUTE_NS  # longer than any sensible camera goes without a key frame

_ANSWERS: Final[dict[int | str, dict[str, Any]]] = {
    200: {"description": "The whole clip.", "content": {"video/mp4": {}}},
    206: {"description": "One range of it.", "content": {"video/mp4": {}}},
}


@router.get("/cameras/{camera_id}/clip.mp4", response_class=Response, responses=_ANSWERS | declared(401, 404, 416))
async def clip(
    request: Request,
    services: Ours,
    session: SignedIn,
    purpose: StatedInQuery,
    camera_id: UUID,
    start: Start,
    end: End,
) -> Response:
    """Footage of [start, end), from the key frame at or before the start. To be watched: copies are exports."""
    span = checked_span(start, end, longest_ns=LONGEST_NS)
    camera = await visible_camera(services, session, CameraId(camera_id))
    asked = ClipRequest(
        session_id=session.session_id,
        purpose_id=purpose.purpose_id,
        action="look",
        camera_id=camera.camera_id,
        span=span,
    )
    try:
        reader = await services.cache.reader(asked, partial(open_clip, services))
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
    return ClipResponse(reader, wanted, headers, services, session, head_only=request.method == "HEAD")


router.add_api_route(
    "/cameras/{camera_id}/clip.mp4", clip, methods=["HEAD"], response_class=Response, include_in_schema=False
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """A clip that can be read, and the sealed segments that it is made of."""

    reader: ClipReader
    segments: tuple[Segment, ...]


async def open_clip(services: Services, asked: ClipRequest) -> ClipReader:
    """Open a clip: find its segments, get their keys from the custodian, read from the store.

    The custodian records the look before it gives a key. The record holds the span that is shown, which begins with the
    key frame at or before the start asked for.
    """
    return (await open_with_segments(services, asked)).reader


async def open_with_segments(services: Services, asked: ClipRequest) -> Opened:
    """Open a clip as ``open_clip()`` does, and also return the segments that it is made of."""
    span, catalogue = asked.span, Catalogue(services.pool)
    segments = await catalogue.segments([asked.camera_id], span)
    if not begins_with_key(segments, span):
        before = Span(max(0, span.start_ns - _REACH_NS), span.end_ns)
        segments = await catalogue.segments([asked.camera_id], before)
        span = reached_back(segments, span)
    plan = plan_clip(segments, span)
    prefetch = Prefetch.of(plan, services.store, services.inits)
    try:
        keys = await services.custodian.open_segments(
            plan.segment_ids,
            session_id=asked.session_id,
            purpose_id=asked.purpose_id,
            action=asked.action,
            camera_id=asked.camera_id,
            span=plan.shown,
        )
        reader = await ClipReader.open(plan, keys, services.store, inits=services.inits, prefetch=prefetch)
    except BaseException as exc:
        if prefetch is not None:
            await prefetch.close()
        if not isinstance(exc, ExceptionGroup):
            raise
        # Several segments are opened at once; the first of our own errors speaks for all.
        mine = next((error for error in exc.exceptions if isinstance(error, TallenneError)), None)
        raise mine or exc from exc
    return Opened(reader=reader, segments=tuple(each for each in plan.segments if each.segment_id in keys))


def no_footage() -> Problem:
    """Return problem 404 for a span in which no footage can be shown."""
    return Problem(
        404, "no-footage", "There is no footage in this span.", "The camera's timeline shows the gaps and why."
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
        services: Services,
        session: SignedIn,
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
            services.priority,
            partial(alive, services, session.session_id),
            head_only=head_only,
        )

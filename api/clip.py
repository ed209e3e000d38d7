"""The clip of a span of one camera, as an MP4 that is read by ranges and opened on the way."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Final
from urllib.parse import quote
from uuid import UUID

from fastapi import APIRouter, Request
from fastapi.responses import Response

from api import rights
from api.problems import Problem, declared, not_found
from api.purposes import StatedInQuery
from api.ranges import ByteRange, UnsatisfiableRangeError, parse_range
from api.scope import CameraRow, visible_camera
from api.services import Ours, Services
from api.sessions import SignedIn, alive
from api.shelf import Wish
from api.streaming import StreamedResponse
from api.times import End, Start, checked_span
from domain.errors import TallenneError
from domain.footage import Segment
from domain.ids import CameraId
from domain.time import HOUR_NS, MINUTE_NS, Span, to_iso
from storage import sql
from storage.catalogue import Catalogue
from storage.clip import ClipReader, Early, NoFootageError, begins_with_key, plan_clip, reached_back
from storage.database import wrapped_errors

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
    wish = Wish(
        session_id=session.session_id,
        purpose_id=purpose.purpose_id,
        action="look",
        camera_id=camera.camera_id,
        span=span,
    )
    try:
        reader = await services.shelf.reader(wish, partial(open_clip, services))
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


async def open_clip(services: Services, wish: Wish) -> ClipReader:
    """Catalogue, custodian (which puts the look on record before it gives a key), store.

    On record is what is shown, which begins with a key frame before what was asked for.
    """
    return (await open_with_segments(services, wish)).reader


async def open_with_segments(services: Services, wish: Wish) -> Opened:
    """The same, for whoever has to say what a clip is made of."""
    span, catalogue = wish.span, Catalogue(services.pool)
    segments = await catalogue.segments([wish.camera_id], span)
    if not begins_with_key(segments, span):
        before = Span(max(0, span.start_ns - _REACH_NS), span.end_ns)
        segments = await catalogue.segments([wish.camera_id], before)
        span = reached_back(segments, span)
    plan = plan_clip(segments, span)
    early = Early.of(plan, services.store, services.inits)
    try:
        keys = await services.custodian.open_segments(
            plan.segment_ids,
            session_id=wish.session_id,
            purpose_id=wish.purpose_id,
            action=wish.action,
            camera_id=wish.camera_id,
            span=plan.shown,
        )
        reader = await ClipReader.open(plan, keys, services.store, inits=services.inits, early=early)
    except BaseException as exc:
        if early is not None:
            await early.close()
        if not isinstance(exc, ExceptionGroup):
            raise
        # Several segments are opened at once; the first of our own errors speaks for all.
        mine = next((error for error in exc.exceptions if isinstance(error, TallenneError)), None)
        raise mine or exc from exc
    return Opened(reader=reader, segments=tuple(each for each in plan.segments if each.segment_id in keys))


def may_export(session: SignedIn, camera: CameraRow) -> None:
    """404 unless the person may export this camera's footage."""
    mine = [
        grant
        for grant in session.grants
        if grant.site_id in (None, camera.site_id) and grant.camera_id in (None, camera.camera_id)
    ]
    if not rights.has_any(mine, rights.EXPORT):
        raise not_found()


async def minors_seen(services: Services, camera_ids: Sequence[CameraId], span: Span) -> bool:
    """Whether a minor's credential was used at a door that one of the cameras saw, so that the span shows it."""
    with wrapped_errors():
        found = await services.pool.fetchval(
            sql.load("api", "minors_seen"), list(camera_ids), span.start_ns, span.end_ns
        )
    return bool(found)


def no_footage() -> Problem:
    return Problem(
        404, "no-footage", "There is no footage in this span.", "The camera's timeline shows the gaps and why."
    )


def approval_needed() -> Problem:
    return Problem(
        403,
        "approval-needed",
        "A copy shows others, too, unmasked: a second person has to approve it.",
        "Ask a colleague to approve it under Exports.",
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


def file_name(camera: CameraRow, span: Span) -> str:
    """``Lobby 2026-11-22T06-31-04Z.mp4``"""
    return f"{camera.name} {to_iso(span.start_ns)[:19].replace(':', '-')}Z.mp4"


def plain_name(name: str) -> str:
    """Of a file on any system: letters, digits, hyphens and points."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
    return re.sub(r"[^A-Za-z0-9._-]+", "-", plain).strip("-.") or "clip.mp4"


def attachment(name: str) -> str:
    """A Content-Disposition that makes browsers keep the answer as a file."""
    return f"attachment; filename=\"{plain_name(name)}\"; filename*=UTF-8''{quote(name, safe='')}"


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
            services.precedence,
            partial(alive, services, session.session_id),
            head_only=head_only,
        )

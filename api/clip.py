"""The clip of a span of one camera, as an MP4 that is read by ranges and opened on the way."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import logging
import re
import unicodedata
from collections.abc import AsyncIterator
from contextlib import aclosing
from functools import partial
from typing import Any, Final, cast
from urllib.parse import quote
from uuid import UUID

from fastapi import APIRouter, Request
from fastapi.responses import Response
from starlette.types import Receive, Scope, Send

from api import rights
from api.problems import Problem, declared, not_found
from api.purposes import StatedInQuery
from api.ranges import ByteRange, UnsatisfiableRangeError, parse_range
from api.scope import CameraRow, visible_camera
from api.services import Ours, Services
from api.sessions import SignedIn
from api.shelf import Wish
from api.times import End, Start, checked_span
from domain.errors import TallenneError
from domain.ids import CameraId
from domain.time import HOUR_NS, to_iso
from storage.catalogue import Catalogue
from storage.clip import ClipReader, NoFootageError, plan_clip

_log = logging.getLogger(__name__)
router = APIRouter(prefix="/v1", tags=["footage"])
LONGEST_NS: Final = 2 * HOUR_NS
SEND_DEADLINE_S: Final = 120.0
"""A paused player stops reading; after this long it has to ask again, with a range."""

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
    download: bool = False,
) -> Response:
    """Footage of [start, end), from the key frame at or before the start. ``download`` makes it an export."""
    span = checked_span(start, end, longest_ns=LONGEST_NS)
    camera = await visible_camera(services, session, CameraId(camera_id))
    if download:
        _may_export(services, session, camera)
    wish = Wish(
        session_id=session.session_id,
        purpose_id=purpose.purpose_id,
        action="export" if download else "look",
        camera_id=camera.camera_id,
        span=span,
    )
    try:
        reader = await services.shelf.reader(wish, partial(open_clip, services))
    except NoFootageError as exc:
        raise Problem(
            404, "no-footage", "There is no footage in this span.", "The camera's timeline shows the gaps and why."
        ) from exc
    headers = _headers(reader, camera, download)
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
    return ClipResponse(reader, wanted, headers, head_only=request.method == "HEAD")


router.add_api_route(
    "/cameras/{camera_id}/clip.mp4", clip, methods=["HEAD"], response_class=Response, include_in_schema=False
)


async def open_clip(services: Services, wish: Wish) -> ClipReader:
    """Catalogue, custodian (which puts the look on record before it gives a key), store."""
    segments = await Catalogue(services.pool).segments([wish.camera_id], wish.span)
    plan = plan_clip(segments, wish.span)
    keys = await services.custodian.open_segments(
        plan.segment_ids,
        session_id=wish.session_id,
        purpose_id=wish.purpose_id,
        action=wish.action,
        camera_id=wish.camera_id,
        span=wish.span,
    )
    try:
        return await ClipReader.open(plan, keys, services.store)
    except ExceptionGroup as group:
        # Several segments are opened at once; the first of our own errors speaks for all.
        mine = next((error for error in group.exceptions if isinstance(error, TallenneError)), None)
        raise mine or group from group


def _may_export(services: Services, session: SignedIn, camera: CameraRow) -> None:
    mine = [
        grant
        for grant in session.grants
        if grant.site_id in (None, camera.site_id) and grant.camera_id in (None, camera.camera_id)
    ]
    if not rights.has_any(mine, rights.EXPORT):
        raise not_found()
    if not session.stepped_up(services.clock_ns()):
        raise Problem(403, "step-up-needed", "An export needs a fresh code.", "Send one to POST /v1/step-up.")


def _headers(reader: ClipReader, camera: CameraRow, download: bool) -> dict[str, str]:
    seed = f"{camera.camera_id} {reader.footage} {reader.size_bytes}"
    headers = {
        "Accept-Ranges": "bytes",
        "Content-Type": reader.mime,
        "ETag": f'"{hashlib.sha256(seed.encode()).hexdigest()[:32]}"',
        "Tallenne-Clip-Start": to_iso(reader.span.start_ns),
        "Tallenne-Clip-End": to_iso(reader.span.end_ns),
    }
    if download:
        name = f"{camera.name} {to_iso(reader.span.start_ns)[:19].replace(':', '-')}Z.mp4"
        plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
        plain = re.sub(r"[^A-Za-z0-9._-]+", "-", plain).strip("-.") or "clip.mp4"
        headers["Content-Disposition"] = f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='')}"
    return headers


def _wanted(request: Request, reader: ClipReader, etag: str) -> ByteRange | None:
    condition = request.headers.get("if-range")
    if condition is not None and condition.strip() != etag:
        return None
    ranges = request.headers.getlist("range")
    if len(ranges) > 1:
        raise UnsatisfiableRangeError("several Range headers")
    return parse_range(ranges[0] if ranges else None, reader.size_bytes)


class ClipResponse(Response):
    """Streams without buffering. The first piece is opened before the status is sent, so that it can still be 503."""

    def __init__(
        self, reader: ClipReader, wanted: ByteRange | None, headers: dict[str, str], *, head_only: bool
    ) -> None:
        part = wanted or ByteRange(0, reader.size_bytes)
        headers = headers | {"Content-Length": str(part.end - part.start)}
        if wanted is not None:
            headers["Content-Range"] = f"bytes {part.start}-{part.end - 1}/{reader.size_bytes}"
        super().__init__(status_code=200 if wanted is None else 206, headers=headers)
        self._reader = reader
        self._part = part
        self._head_only = head_only

    def init_headers(self, headers: Any = None) -> None:
        """As given: Starlette would add the length of an empty body."""
        self.raw_headers = [
            (name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in headers.items()
        ]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        start = {"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers}
        if self._head_only:
            await send(start)
            await send({"type": "http.response.body", "body": b""})
            return
        gone = asyncio.create_task(_disconnected(receive), name="client gone")
        # An async generator, though its type says only that it can be iterated.
        stream = cast("Any", self._reader.stream(self._part.start, self._part.end))
        try:
            async with aclosing(stream):
                await self._send(stream, start, send, gone)
        except (TimeoutError, OSError):
            return
        finally:
            gone.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await gone

    async def _send(
        self, stream: AsyncIterator[bytes], start: dict[str, Any], send: Send, gone: asyncio.Task[None]
    ) -> None:
        piece = await anext(stream)
        await send(start)
        try:
            while piece and not gone.done():
                async with asyncio.timeout(SEND_DEADLINE_S):
                    await send({"type": "http.response.body", "body": piece, "more_body": True})
                piece = await anext(stream, b"")
        except TallenneError as exc:
            # The status is sent already: breaking off short of the length is the only thing left to say.
            _log.warning("a clip broke off: %s", exc)
            return
        if not piece:
            await send({"type": "http.response.body", "body": b""})


async def _disconnected(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass

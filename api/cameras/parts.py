"""Answers a player: one byte range of a clip, opened while it is sent. That all of it was sent is on record."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import aclosing
from functools import partial
from typing import Annotated, Any, Final, Literal, cast

from fastapi import Query, Request

from api.footage import ClipReader, NoFootageError
from api.footage.cache import ClipRequest
from api.footage.converting import MIME, converted
from api.footage.opening import Footage
from api.footage.sent import Sent
from api.http.problems import Problem, no_footage
from api.http.ranges import ByteRange, UnsatisfiableRangeError, parse_range
from api.http.streaming import StreamedResponse
from api.records import Records
from api.sign_in.sessions import Session
from domain.ids import CameraId
from domain.time import MINUTE_NS, Span, to_iso
from live.errors import ConversionBrokenError, ConversionsFullError
from storage.catalogue import audit

PART_NS: Final = 2 * MINUTE_NS
"""The most footage that one answer holds, give or take a group of pictures. The player asks for a minute at most."""
_PLAYERS: Final = ("video", "audio", "empty")
"""What a browser says a request is for when a player makes it; not a page, a frame or a download."""
Converted = Annotated[
    Literal["h264"] | None,
    Query(alias="as", description="Convert the groups of pictures of that range; the answer is 200, and costs CPU."),
]
PART_ANSWERS: Final[dict[int | str, dict[str, Any]]] = {
    200: {"description": "The pictures of a range, converted.", "content": {"video/mp4": {}}},
    206: {"description": "One range of it, at most two minutes of footage.", "content": {"video/mp4": {}}},
}


async def part_of_clip(
    request: Request,
    records: Records,
    footage: Footage,
    session: Session,
    asked: ClipRequest,
    still_may: Callable[[Span], Awaitable[bool]],
    wanted: Converted = None,
) -> StreamedResponse:
    """Return the answer to a player. ``still_may``: whether it may go on with the span that the clip really shows.

    ``wanted``: the range's groups of pictures as H.264, which has no bytes to ask for: the answer is no range of it.
    Problem 403 where no player asks, 404 without footage, 416; errors of the database, the store and the custodian.
    """
    head_only = request.method == "HEAD"
    in_part = request.headers.get("range") is not None
    if not head_only and (not in_part or request.headers.get("sec-fetch-dest", "video") not in _PLAYERS):
        what = "A clip is watched in parts; a copy of it is an export."
        raise Problem(403, "parts-only", what, "Ask for one byte range at a time, or for an export.")
    try:
        reader = await footage.clip(asked)
    except NoFootageError as exc:
        raise no_footage() from exc
    headers = _headers(reader, asked.camera_id)
    part = ByteRange(0, reader.size_bytes) if head_only else _part(request, reader, headers["ETag"])
    watched = partial(_watched, records, footage.sent, session, asked, reader)
    still = partial(still_may, reader.span)
    if wanted is not None and not head_only:
        headers = {name: value for name, value in headers.items() if name != "Accept-Ranges"} | {"Content-Type": MIME}
        made = partial(_converted, reader, footage, part, watched)
        return StreamedResponse(200, headers, made, footage.priority, still, head_only=False)
    headers["Content-Length"] = str(part.end - part.start)
    if not head_only:
        headers["Content-Range"] = f"bytes {part.start}-{part.end - 1}/{reader.size_bytes}"
    stream = partial(_pieces, reader, part, watched)
    status = 200 if head_only else 206
    return StreamedResponse(status, headers, stream, footage.priority, still, head_only=head_only)


def _headers(reader: ClipReader, camera_id: CameraId) -> dict[str, str]:
    seed = f"{camera_id} {reader.footage} {reader.size_bytes}"
    return {
        "Accept-Ranges": "bytes",
        "Content-Type": reader.mime,
        "ETag": f'"{hashlib.sha256(seed.encode()).hexdigest()[:32]}"',
        "Tallenne-Clip-Start": to_iso(reader.span.start_ns),
        "Tallenne-Clip-End": to_iso(reader.span.end_ns),
    }


def _part(request: Request, reader: ClipReader, etag: str) -> ByteRange:
    """What is answered of the range that was asked for. Problem 416; also when the clip is another one by now."""
    ranges = request.headers.getlist("range")
    try:
        wanted = parse_range(ranges[0], reader.size_bytes) if len(ranges) == 1 else None
    except UnsatisfiableRangeError:
        wanted = None
    if wanted is None or request.headers.get("if-range", etag).strip() != etag:
        raise Problem(
            416,
            "range",
            "One byte range within the clip, please.",
            "Ask for one range at a time, of the clip as it is now.",
            headers={"Content-Range": f"bytes */{reader.size_bytes}"},
        )
    return ByteRange(wanted.start, min(wanted.end, reader.part_end(wanted.start, PART_NS)))


async def _pieces(
    reader: ClipReader, part: ByteRange, watched: Callable[[int, int], Awaitable[None]]
) -> AsyncIterator[bytes | memoryview]:
    """The part; what makes the clip whole leaves only after that is on record."""
    at = part.start
    # An async generator, though its type says only that it can be iterated.
    async with aclosing(cast("Any", reader.stream(part.start, part.end))) as stream:
        async for piece in stream:
            await watched(at, at + len(piece))
            at += len(piece)
            yield piece


async def _converted(
    reader: ClipReader, footage: Footage, part: ByteRange, watched: Callable[[int, int], Awaitable[None]]
) -> AsyncIterator[bytes]:
    """The same as H.264. What cannot be converted is a problem where nothing came of it, else the end of the answer."""
    begun = False
    made = converted(reader, footage.converter, part.start, part.end, watched)
    async with aclosing(cast("Any", made)) as stream:
        try:
            async for piece in stream:
                begun = True
                yield piece
        except ConversionsFullError as exc:
            what = "No further camera can be converted to H.264 now."
            raise Problem(503, "conversions", what, "Try again soon.", headers={"Retry-After": "2"}) from exc
        except ConversionBrokenError as exc:
            if not begun:
                what = "This footage cannot be converted to H.264."
                raise Problem(422, "not-converted", what, "An export has it as it was recorded.") from exc
    if not begun:
        raise no_footage()


async def _watched(
    records: Records, sent: Sent, session: Session, asked: ClipRequest, reader: ClipReader, start: int, end: int
) -> None:
    if not sent.add(asked, reader.size_bytes, start, end):
        return
    entry = audit.Entry(
        actor=session.actor,
        action="look_whole",
        session_id=session.session_id,
        purpose_id=asked.purpose_id,
        camera_id=asked.camera_id,
        span=reader.span,
        detail={"bytes": reader.size_bytes},
    )
    try:
        await audit.append(records.pool, entry, records.clock_ns())
    except BaseException:
        sent.forget(asked)
        raise

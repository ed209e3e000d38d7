"""The player's pages over a server that a test makes slow, silent or wrong. Pictures say when they were taken."""

from __future__ import annotations

import asyncio
import contextlib
import uuid
from calendar import monthrange
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from types import SimpleNamespace
from typing import Any, Final
from zoneinfo import ZoneInfo

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from api.footage import ClipReader, NoFootageError
from api.footage.converting import converted
from api.pages.rendering import DIRECTORY, page
from domain.time import Span, from_iso, to_iso
from live.client import LiveClient
from tests.support.cameras.timed import SIZE, ZERO_MS, filmed
from tests.support.cameras.video import units
from tests.support.footage.sealed import START_NS
from tests.support.footage.shelf import Shelf, read

ZONE: Final = "Europe/Helsinki"
_MS: Final = 1_000_000
_SVG: Final = (
    '<svg xmlns="http://www.w3.org/2000/svg" width="320" height="180"><path fill="teal" d="M0 0h320v180H0"/></svg>'
)


@dataclass(kw_only=True)
class StandCamera:
    """A camera, and how its footage is given out."""

    name: str
    camera_id: uuid.UUID = field(default_factory=uuid.uuid4)
    shelf: Shelf = field(default_factory=Shelf)
    shown_ms: list[int] = field(default_factory=list)  # when the pictures were taken, since ZERO_MS
    causes: dict[int, str] = field(default_factory=dict)  # of the gap that begins so many ms after ZERO_MS
    mime: str | None = None  # said instead of the true one
    converter: LiveClient | None = None  # which makes H.264 of it; None: it has no place for it
    bytes_per_s: float | None = None
    status: int = 200
    cut_after: int | None = None  # bytes of an answer, then the connection breaks
    asked: list[str] = field(default_factory=list)
    converted: list[tuple[int, int]] = field(default_factory=list)  # bytes of the groups that were given as H.264
    pictured: list[str] = field(default_factory=list)  # times of thumbnails that were asked for

    def film(self, at_ms: Sequence[int], *, codec: str = "h264", **coded: Any) -> None:
        """Add footage; pictures further apart than a gap belong to two calls."""
        stream = filmed(at_ms, codec=codec, **coded)
        self.shelf.film(
            units(stream, "h264" if codec == "h264" else "hevc"), START_NS + at_ms[0] * _MS, codec_size=SIZE
        )
        self.shown_ms += at_ms

    def picture_at(self, at_ms: float) -> int:
        """When the picture was taken whose interval holds the time; both since ZERO_MS."""
        return max(shown for shown in self.shown_ms if shown <= at_ms)

    def cause(self, start_ns: int) -> str:
        return self.causes.get((start_ns - START_NS) // _MS, "unknown")

    def timeline(self, span: Span, until_ns: int) -> dict[str, Any]:
        """Footage and gaps tile the span up to ``until_ns``."""
        footage: list[list[int]] = []
        for segment in sorted(self.shelf.segments, key=lambda item: item.span):
            if footage and segment.span.start_ns - footage[-1][1] < 150 * _MS:
                footage[-1][1] = segment.span.end_ns
            else:
                footage.append([segment.span.start_ns, segment.span.end_ns])
        edges = [span.start_ns, *(edge for run in footage for edge in run), max(until_ns, footage[-1][1])]
        gaps = [(edges[number], edges[number + 1]) for number in range(0, len(edges), 2)]
        return {
            "camera_id": str(self.camera_id), "camera": self.name, "time_zone": ZONE,
            "footage": [{"start": to_iso(start), "end": to_iso(end)} for start, end in footage],
            "gaps": [
                {"start": to_iso(start), "end": to_iso(end), "cause": self.cause(start)}
                for start, end in gaps if end > start
            ],
            "events": [], "events_cut": False, "events_start": to_iso(span.start_ns), "events_end": to_iso(span.end_ns),
            "bookmarks": [],
        }  # fmt: skip


@dataclass(kw_only=True)
class Stand:
    """Cameras behind a server of their own."""

    cameras: list[StandCamera]
    address: str = ""
    until_ms: int = 0  # how far the timeline knows, since ZERO_MS
    timeline_status: int = 200
    looks: int = 0  # timelines that were asked for

    def play(self, at_ms: float) -> str:
        """The address of the player, all cameras, at a time since ZERO_MS."""
        cameras = "&".join(f"camera={camera.camera_id}" for camera in self.cameras)
        return f"{self.address}/play?{cameras}&at={to_iso(START_NS + round(at_ms * _MS))}"

    def camera(self, request: Request) -> StandCamera:
        wanted = uuid.UUID(request.path_params["camera"])
        return next(camera for camera in self.cameras if camera.camera_id == wanted)


async def _player(request: Request) -> Response:
    session = SimpleNamespace(csrf_token="none", display_name="Tester")
    purpose = SimpleNamespace(purpose_id=uuid.UUID(int=1), category="incident", reason="a test of the player")
    names = ("find", "exports", "cameras", "members", "users", "quarantine", "audit")
    frame = {"session": session, "purpose": purpose, "nav": names, "may": frozenset(names), "here": "find"}
    return page(request, "player.html", default_language="en", event_id="", **frame)


async def _timeline(request: Request) -> Response:
    stand: Stand = request.app.state.stand
    stand.looks += 1
    if stand.timeline_status != 200:
        return Response(status_code=stand.timeline_status)
    span = Span(from_iso(request.query_params["start"]), from_iso(request.query_params["end"]))
    answer = stand.camera(request).timeline(span, START_NS + stand.until_ms * _MS)
    return JSONResponse(answer | {"start": to_iso(span.start_ns), "end": to_iso(span.end_ns)})


async def _days(request: Request) -> Response:
    """Footage on the day of ZERO_MS alone, events on every day."""
    month = request.query_params["month"]
    first = datetime.strptime(month, "%Y-%m")  # noqa: DTZ007 - a calendar's month
    here = datetime.fromtimestamp(ZERO_MS / 1000, ZoneInfo(ZONE)).date()
    days = [first.replace(day=number).date() for number in range(1, monthrange(first.year, first.month)[1] + 1)]
    found = [{"day": day.isoformat(), "footage": day == here, "events": day.day} for day in days]
    return JSONResponse({"time_zone": ZONE, "days": found})


async def _clip(request: Request) -> Response:
    camera = request.app.state.stand.camera(request)
    camera.asked.append(request.headers.get("range", ""))
    if camera.status != 200:
        return Response(status_code=camera.status)
    span = Span(from_iso(request.query_params["start"]), from_iso(request.query_params["end"]))
    try:
        clip = await camera.shelf.clip(span)
    except NoFootageError:
        return Response(status_code=404, headers={"Tallenne-Problem": "no-footage"})
    start, _, last = request.headers.get("range", "bytes=0-").removeprefix("bytes=").partition("-")
    first, end = int(start), min(int(last) + 1, clip.size_bytes) if last else clip.size_bytes
    if request.query_params.get("as"):
        return _converted(camera, clip, first, end)
    headers = {
        "Content-Type": camera.mime or clip.mime,
        "Content-Length": str(end - first),
        "Content-Range": f"bytes {first}-{end - 1}/{clip.size_bytes}",
        "ETag": f'"{clip.size_bytes}"',
        "Tallenne-Clip-Start": to_iso(clip.span.start_ns),
        "Tallenne-Clip-End": to_iso(clip.span.end_ns),
    }
    return StreamingResponse(_paced(camera, clip, first, end), 206, headers)


def _converted(camera: StandCamera, clip: ClipReader, first: int, end: int) -> Response:
    if camera.converter is None:
        return Response(status_code=503, headers={"Tallenne-Problem": "conversions"})

    async def watched(start: int, end: int) -> None:
        camera.converted.append((start, end))

    return StreamingResponse(converted(clip, camera.converter, first, end, watched))


async def _thumbnail(request: Request) -> Response:
    request.app.state.stand.camera(request).pictured.append(request.query_params["at"])
    return Response(_SVG, media_type="image/svg+xml")


async def _paced(camera: StandCamera, clip: ClipReader, first: int, end: int) -> AsyncIterator[bytes]:
    data = await read(clip, first, end)
    sent = 0
    while sent < len(data):
        if camera.cut_after is not None and sent >= camera.cut_after:
            raise ConnectionError("cut off")
        piece = data[sent : sent + 512]
        yield piece
        sent += len(piece)
        if camera.bytes_per_s is not None:
            await asyncio.sleep(len(piece) / camera.bytes_per_s)


@contextlib.asynccontextmanager
async def player_stand(*cameras: StandCamera, until_ms: int = 0) -> AsyncIterator[Stand]:
    """Served on loopback until the end of the block."""
    stand = Stand(cameras=list(cameras), until_ms=until_ms)
    routes = [
        Route("/play", _player),
        Route("/v1/cameras/{camera}/timeline", _timeline),
        Route("/v1/cameras/{camera}/days", _days),
        Route("/v1/cameras/{camera}/clip.mp4", _clip),
        Route("/v1/cameras/{camera}/thumbnail.jpg", _thumbnail),
        Mount("/static", StaticFiles(directory=DIRECTORY / "static")),
    ]
    app = Starlette(routes=routes)
    app.state.stand = stand
    server = uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=0, log_level="critical", lifespan="off"))
    server.install_signal_handlers = lambda: None  # type: ignore[attr-defined]
    serving = asyncio.create_task(server.serve(), name="stand")
    while not server.started:  # noqa: ASYNC110 - uvicorn has no event for it
        await asyncio.sleep(0.01)
    stand.address = f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    try:
        yield stand
    finally:
        server.should_exit = server.force_exit = True
        await serving


def site_clock(at_ms: float) -> str:
    """As the player's clock shows a time since ZERO_MS."""
    moment = datetime.fromtimestamp((ZERO_MS + int(at_ms)) / 1000, ZoneInfo(ZONE))
    return f"{moment:%H:%M:%S}.{moment.microsecond // 100_000}"

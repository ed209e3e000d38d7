"""A camera's time: footage, gaps with their cause, events. No span without a word about it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Final
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import BaseModel

from api.audit import looks
from api.http.problems import declared
from api.http.times import End, Instant, Start, checked_span
from api.search.answers import EventAnswer, GapAnswer, SpanAnswer, event_answer
from api.services import Ours, Services
from api.sign_in import rights
from api.sign_in.purposes import Stated
from api.sign_in.scope import load_scope
from api.sign_in.sessions import SignedIn
from domain.access import AccessEvent
from domain.footage import Gap
from domain.ids import CameraId
from domain.time import DAY_NS, MINUTE_NS, NS, Span, subtract_spans, to_iso
from runtime import sql
from runtime.database import wrapped_errors
from storage.access.events import event_from_row
from storage.catalogue import Catalogue

router = APIRouter(prefix="/v1", tags=["footage"])
LONGEST_NS: Final = 7 * DAY_NS
EVENTS_MAX: Final = 1000
SEAM_NS: Final = 150_000_000
"""Two segments closer than this are shown as one run of footage: less than a few pictures, often a rounded time."""
PENDING_NS: Final = 2 * MINUTE_NS
"""Footage may take this long from the camera to the catalogue."""


class TimelineAnswer(BaseModel):
    """A camera's footage, gaps and events within a span."""

    camera_id: UUID
    camera: str
    time_zone: str
    start: str
    end: str
    footage: list[SpanAnswer]
    gaps: list[GapAnswer]
    events: list[EventAnswer]
    events_cut: bool
    """Not all fit: ``events`` holds those nearest to ``around``, all of [events_start, events_end)."""
    events_start: str
    events_end: str


@router.get("/cameras/{camera_id}/timeline", responses=declared(401, 404))
async def timeline(
    services: Ours,
    session: SignedIn,
    purpose: Stated,
    camera_id: UUID,
    start: Start,
    end: End,
    around: Annotated[Instant | None, Query(description="Where events count most; by default the start.")] = None,
) -> TimelineAnswer:
    """Footage and gaps tile the span up to now; events are those at doors that the camera saw at the time."""
    span = checked_span(start, end, longest_ns=LONGEST_NS)
    scope = await load_scope(services, session, rights.LOOK)
    camera = scope.camera(CameraId(camera_id))
    footage = (await footage_spans(services, [camera.camera_id], span)).get(camera.camera_id, [])
    known = await Catalogue(services.pool).gaps([camera.camera_id], span)
    with wrapped_errors():
        rows = await services.pool.fetch(
            sql.load("api.search", "camera_events"),
            camera.camera_id,
            span.start_ns,
            span.end_ns,
            list(scope.doors),
            EVENTS_MAX + 1,
            span.start_ns if around is None else around,
        )
    events, whole = _nearest([event_from_row(row) for row in rows], span, span.start_ns if around is None else around)
    people = await looks.known_members(services, events)
    await looks.record(
        services,
        session,
        purpose,
        "timeline",
        shown=[event.member_id for event in events],
        camera_id=camera.camera_id,
        span=span,
        results=len(events),
    )
    return TimelineAnswer(
        camera_id=camera.camera_id,
        camera=camera.name,
        time_zone=scope.zone_of(camera.site_id),
        start=to_iso(span.start_ns),
        end=to_iso(span.end_ns),
        footage=[span_answer(piece) for piece in footage],
        gaps=gap_answers(
            span, footage, known, services.clock_ns(), camera.retention_s, await first_known(services, camera.camera_id)
        ),
        events=[event_answer(event, (), scope, people, purpose) for event in events],
        events_cut=whole != span,
        events_start=to_iso(whole.start_ns),
        events_end=to_iso(whole.end_ns),
    )


def _nearest(events: Sequence[AccessEvent], span: Span, around_ns: int) -> tuple[list[AccessEvent], Span]:
    """Those nearest to a time, and the part of the span of which they are all. ``events`` by time."""
    first, last = 0, len(events)
    while last - first > EVENTS_MAX:
        if around_ns - events[first].occurred_ns > events[last - 1].occurred_ns - around_ns:
            first += 1
        else:
            last -= 1
    start_ns = events[first - 1].occurred_ns + 1 if first else span.start_ns
    end_ns = events[last].occurred_ns if last < len(events) else span.end_ns
    return list(events[first:last]), Span(start_ns, max(start_ns, end_ns))


async def footage_spans(services: Services, camera_ids: Sequence[CameraId], span: Span) -> dict[CameraId, list[Span]]:
    """Runs of live footage within ``span``, by camera and time."""
    with wrapped_errors():
        rows = await services.pool.fetch(
            sql.load("api.search", "footage_spans"), list(camera_ids), span.start_ns, span.end_ns, SEAM_NS
        )
    found: dict[CameraId, list[Span]] = {}
    for row in rows:
        found.setdefault(CameraId(row["camera_id"]), []).append(Span(row["start_ns"], row["end_ns"]))
    return found


async def first_known(services: Services, camera_id: CameraId) -> int:
    """Since when anything is known of the camera, footage or gap; 0: nothing is."""
    with wrapped_errors():
        first_ns: int = await services.pool.fetchval(sql.load("api.search", "first_known"), camera_id)
    return first_ns


def gap_answers(
    span: Span, footage: Sequence[Span], known: Sequence[Gap], now_ns: int, retention_s: int, first_ns: int = 0
) -> list[GapAnswer]:
    """What is missing of ``span`` up to now, each piece with a cause: where footage and a gap overlap, footage counts.

    Without a cause on record it is `pending` while the recorder may still deliver, `expired` after the retention,
    `before` when nothing older is known of the camera, and `unknown` between.
    """
    past = span.clipped_to(Span(span.start_ns, max(span.start_ns, now_ns)))
    if past is None:
        return []
    found: list[tuple[Span, str]] = []
    taken = list(footage)
    for gap in known:
        for piece in subtract_spans(past, taken):
            if part := piece.clipped_to(gap.span):
                found.append((part, gap.cause.value))
        taken.append(gap.span)
    recent = Span(max(past.start_ns, now_ns - PENDING_NS), max(past.end_ns, now_ns))
    kept = Span(max(0, now_ns - retention_s * NS), max(past.end_ns, now_ns))
    before = Span(kept.start_ns, max(kept.start_ns, min(first_ns, now_ns)))
    for piece in subtract_spans(past, taken):
        if piece.duration_ns < SEAM_NS:
            continue
        for early in subtract_spans(piece, [before, recent, kept]):
            found.append((early, "expired"))
        if part := piece.clipped_to(before):
            found.append((part, "before"))
        for rest in subtract_spans(piece, [before]):
            if part := rest.clipped_to(Span(kept.start_ns, max(kept.start_ns, recent.start_ns))):
                found.append((part, "unknown"))
            if late := rest.clipped_to(recent):
                found.append((late, "pending"))
    return [
        GapAnswer(start=to_iso(piece.start_ns), end=to_iso(piece.end_ns), cause=cause) for piece, cause in sorted(found)
    ]


def span_answer(span: Span) -> SpanAnswer:
    """Return a span as RFC 3339 times."""
    return SpanAnswer(start=to_iso(span.start_ns), end=to_iso(span.end_ns))

"""A camera's timeline: footage, gaps with their cause, events. Footage and gaps cover all of the past."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Final
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import BaseModel

from api.audit import looks
from api.bookmarks import rows as bookmarks
from api.bookmarks.shapes import BookmarkAnswer, bookmark_answers
from api.http.problems import declared
from api.http.times import End, Instant, Start, checked_span
from api.records import Records, RecordsDep
from api.search.answers import EventAnswer, GapAnswer, SpanAnswer, event_answer
from api.search.coverage import first_known, footage_spans, gap_answers, span_answer
from api.sign_in import rights
from api.sign_in.purposes import Stated
from api.sign_in.scope import load_scope
from api.sign_in.sessions import SignedIn
from domain.access import AccessEvent
from domain.ids import CameraId, DoorId
from domain.time import DAY_NS, Span, to_iso
from runtime import sql
from runtime.database import wrapped_errors
from storage.access.events import event_from_row
from storage.catalogue import Catalogue

router = APIRouter(prefix="/v1", tags=["footage"])
LONGEST_NS: Final = 7 * DAY_NS
EVENTS_MAX: Final = 1000


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
    bookmarks: list[BookmarkAnswer]


@router.get("/cameras/{camera_id}/timeline", responses=declared(401, 404))
async def timeline(
    records: RecordsDep,
    session: SignedIn,
    purpose: Stated,
    camera_id: UUID,
    start: Start,
    end: End,
    around: Annotated[Instant | None, Query(description="Where events count most; by default the start.")] = None,
) -> TimelineAnswer:
    """Footage and gaps tile the span up to now; events are those at doors that the camera saw at the time."""
    span = checked_span(start, end, longest_ns=LONGEST_NS)
    scope = await load_scope(records, session, rights.LOOK)
    camera = scope.camera(CameraId(camera_id))
    footage = (await footage_spans(records, [camera.camera_id], span)).get(camera.camera_id, [])
    known = await Catalogue(records.pool).gaps([camera.camera_id], span)
    events, whole = await _events(
        records, camera.camera_id, span, list(scope.doors), span.start_ns if around is None else around
    )
    people = await looks.known_members(records, events)
    await looks.record(
        records,
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
            span, footage, known, records.clock_ns(), camera.retention_s, await first_known(records, camera.camera_id)
        ),
        events=[event_answer(event, (), scope, people, purpose, records.clock_ns()) for event in events],
        events_cut=whole != span,
        events_start=to_iso(whole.start_ns),
        events_end=to_iso(whole.end_ns),
        bookmarks=bookmark_answers(
            await bookmarks.listed(records, [camera.camera_id], span=span), scope, session.staff_id
        ),
    )


async def _events(
    records: Records, camera_id: CameraId, span: Span, doors: list[DoorId], around_ns: int
) -> tuple[list[AccessEvent], Span]:
    """Return the events at ``doors`` while the camera saw them, as ``_nearest()`` does."""
    with wrapped_errors():
        rows = await records.pool.fetch(
            sql.load("api.search", "camera_events"),
            camera_id,
            span.start_ns,
            span.end_ns,
            doors,
            EVENTS_MAX + 1,
            around_ns,
        )
    return _nearest([event_from_row(row) for row in rows], span, around_ns)


def _nearest(events: Sequence[AccessEvent], span: Span, around_ns: int) -> tuple[list[AccessEvent], Span]:
    """Return the EVENTS_MAX events nearest to ``around_ns``, and the part of the span for which they are complete."""
    first, last = 0, len(events)
    while last - first > EVENTS_MAX:
        if around_ns - events[first].occurred_ns > events[last - 1].occurred_ns - around_ns:
            first += 1
        else:
            last -= 1
    start_ns = events[first - 1].occurred_ns + 1 if first else span.start_ns
    end_ns = events[last].occurred_ns if last < len(events) else span.end_ns
    return list(events[first:last]), Span(start_ns, max(start_ns, end_ns))

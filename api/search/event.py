"""One event with its surroundings: the cameras that saw its door, their footage and gaps, and other events."""

from __future__ import annotations

from enum import StrEnum
from typing import Final
from uuid import UUID

from fastapi import APIRouter
from pydantic import BaseModel

from api.audit import looks
from api.http.problems import declared, not_found
from api.records import Records, RecordsDep
from api.search.answers import (
    EventAnswer,
    EventCameraAnswer,
    GapAnswer,
    SpanAnswer,
    VisitAnswer,
    event_answer,
    visit_answer,
)
from api.search.coverage import first_known, footage_spans, gap_answers, span_answer
from api.sign_in import rights
from api.sign_in.purposes import Stated
from api.sign_in.scope import Scope, load_scope
from api.sign_in.sessions import SignedIn
from domain.access import AccessEvent, Visit
from domain.ids import CameraId, EventId
from domain.time import NS, Span
from runtime import sql
from runtime.database import wrapped_errors
from storage.access import EventCamera, event, events, visits
from storage.access.events import event_from_row
from storage.catalogue import Catalogue

router = APIRouter(prefix="/v1", tags=["search"])
AROUND_NS: Final = 15 * NS
"""Events within this time of the event are listed beside it: about those that its footage shows."""
_AROUND_MAX: Final = 200


class EventCameraDetail(EventCameraAnswer):
    """A camera of an event with its footage and gaps."""

    footage: list[SpanAnswer]
    gaps: list[GapAnswer]


class EventDetail(BaseModel):
    """An event, the stay that it belongs to, its cameras and the events around it."""

    event: EventAnswer
    visit: VisitAnswer | None
    cameras: list[EventCameraDetail]
    around: list[EventAnswer]


@router.get("/events/{event_id}", responses=declared(401, 404))
async def event_detail(records: RecordsDep, session: SignedIn, purpose: Stated, event_id: UUID) -> EventDetail:
    """An event by its id. A credential opened a door: nothing says that the person in the picture is the member."""
    scope = await load_scope(records, session, rights.LOOK)
    found = await event(records.pool, EventId(event_id))
    if found is None or found.door_id not in scope.doors:
        raise not_found()
    cameras = await _cameras(records, found)
    span = Span(max(0, found.occurred_ns - AROUND_NS), found.occurred_ns + AROUND_NS)
    around = await events(
        records.pool, site_ids=[found.site_id], door_ids=list(scope.doors), span=span, limit=_AROUND_MAX
    )
    everybody = [found, *(row.event for row in around)]
    whole = await _visit_of(records, scope, found)
    people = await looks.known_members(records, everybody)
    await looks.record(
        records,
        session,
        purpose,
        "visit",
        shown=[each.member_id for each in everybody],
        member_id=found.member_id,
        span=span,
        results=len(everybody),
    )
    now_ns = records.clock_ns()
    shown = event_answer(found, cameras, scope, people, purpose, now_ns)
    return EventDetail(
        event=shown,
        visit=whole,
        cameras=await _with_footage(records, scope, shown, cameras),
        around=[event_answer(row.event, row.cameras, scope, people, purpose, now_ns) for row in reversed(around)],
    )


class Same(StrEnum):
    """What the event beside another has in common with it."""

    DOOR = "door"
    KIND = "kind"
    MEMBER = "member"


class BesideAnswer(BaseModel):
    """The event beside another; null: there is none, or the other has no member."""

    event: EventAnswer | None


@router.get("/events/{event_id}/beside", responses=declared(401, 404))
async def event_beside(
    records: RecordsDep, session: SignedIn, purpose: Stated, event_id: UUID, same: Same, later: bool
) -> BesideAnswer:
    """The next or previous event of the same door, kind or member, at doors that one may see."""
    scope = await load_scope(records, session, rights.LOOK)
    at = await event(records.pool, EventId(event_id))
    if at is None or at.door_id not in scope.doors:
        raise not_found()
    found = await _beside(records, scope, at, same, later)
    cameras = [] if found is None else await _cameras(records, found)
    shown = [] if found is None else [found]
    when_ns = (found or at).occurred_ns
    people = await looks.known_members(records, shown)
    await looks.record(
        records,
        session,
        purpose,
        "visit",
        shown=[each.member_id for each in shown],
        member_id=at.member_id if same is Same.MEMBER else None,
        span=Span(when_ns, when_ns + 1),
        results=len(shown),
    )
    now_ns = records.clock_ns()
    return BesideAnswer(event=None if found is None else event_answer(found, cameras, scope, people, purpose, now_ns))


async def _beside(records: Records, scope: Scope, at: AccessEvent, same: Same, later: bool) -> AccessEvent | None:
    if same is Same.MEMBER and at.member_id is None:
        return None
    doors = [at.door_id] if same is Same.DOOR else list(scope.doors)
    kind = at.kind.value if same is Same.KIND else None
    member = at.member_id if same is Same.MEMBER else None
    with wrapped_errors():
        row = await records.pool.fetchrow(
            sql.load("api.search", "beside"), at.occurred_ns, at.event_id, doors, kind, member, later
        )
    return None if row is None else event_from_row(row)


async def _cameras(records: Records, found: AccessEvent) -> list[EventCamera]:
    t = found.occurred_ns
    with wrapped_errors():
        rows = await records.pool.fetch(sql.load("api.search", "event_cameras"), found.door_id, t)
    return [
        EventCamera(
            camera_id=CameraId(row["camera_id"]), span=Span(t - row["before_ns"], t + row["after_ns"]), segments=0
        )
        for row in rows
    ]


async def _with_footage(
    records: Records, scope: Scope, shown: EventAnswer, cameras: list[EventCamera]
) -> list[EventCameraDetail]:
    spans = {camera.camera_id: camera.span for camera in cameras}
    now_ns = records.clock_ns()
    answers = []
    for camera in shown.cameras:
        camera_id = CameraId(camera.camera_id)
        span = spans[camera_id]
        footage = (await footage_spans(records, [camera_id], span)).get(camera_id, [])
        known = await Catalogue(records.pool).gaps([camera_id], span)
        answers.append(
            EventCameraDetail(
                **camera.model_dump(exclude={"segments", "coming"}),
                footage=[span_answer(piece) for piece in footage],
                gaps=gap_answers(
                    span,
                    footage,
                    known,
                    now_ns,
                    scope.cameras[camera_id].retention_s,
                    await first_known(records, camera_id),
                ),
            )
        )
    return answers


async def _visit_of(records: Records, scope: Scope, found: AccessEvent) -> VisitAnswer | None:
    """The member's visit that the event belongs to, where the person may see the whole site."""
    if found.member_id is None or found.site_id not in scope.whole_sites:
        return None
    span = Span(found.occurred_ns, found.occurred_ns + 1)
    own = await visits(records.pool, found.member_id, span, [found.site_id])
    fitting: Visit | None = next((each for each in own if each.start_ns <= found.occurred_ns), None)
    return None if fitting is None else visit_answer(fitting, scope)

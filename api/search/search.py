"""Members, their visits, and events. Every page is on record before it leaves."""

from __future__ import annotations

from typing import Annotated, Final
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import BaseModel, StringConstraints

from api.audit import looks
from api.http.cursors import cursor_of
from api.http.problems import declared, not_found
from api.http.times import End, Start, checked_span
from api.search.answers import EventAnswer, MemberAnswer, event_answer, member_answer
from api.services import Ours
from api.sign_in import rights
from api.sign_in.purposes import Stated, StatedForMembers
from api.sign_in.scope import Scope, load_scope, named_members, visible_members
from api.sign_in.sessions import SignedIn
from domain.ids import DoorId, MemberId, SiteId
from domain.time import DAY_NS, to_iso
from storage.access import events, member, visits

router = APIRouter(prefix="/v1", tags=["search"])
LONGEST_NS: Final = 400 * DAY_NS
Words = Annotated[str, StringConstraints(max_length=100, pattern=r"^[^\x00-\x1f]*$")]


class VisitAnswer(BaseModel):
    """A stay from entry to exit; `end` is null while no exit is known."""

    site_id: UUID
    site: str
    time_zone: str
    start: str
    end: str | None
    first_event: UUID
    last_event: UUID | None


class EventsPage(BaseModel):
    """Events, the newest first; `next` continues the list."""

    events: list[EventAnswer]
    next: str | None


@router.get("/members", responses=declared(401, 404))
async def find_members(
    services: Ours,
    session: SignedIn,
    purpose: StatedForMembers,
    query: Annotated[Words, Query(description="Part of a name, or the beginning of a number.")],
    limit: Annotated[int, Query(ge=1, le=100)] = 20,
) -> list[MemberAnswer]:
    """Members by name or number, of those who have been at a door that one may see."""
    scope = await load_scope(services, session, rights.MEMBERS)
    rows, _ = await named_members(services, scope, query, limit)
    shown = {row.member_id: row for row in rows}
    await looks.record(services, session, purpose, "search_members", shown=shown, results=len(shown))
    return [member_answer(member_id, shown) for member_id in shown]


@router.get("/members/{member_id}/visits", responses=declared(401, 404))
async def member_visits(
    services: Ours, session: SignedIn, purpose: Stated, member_id: UUID, start: Start, end: End
) -> list[VisitAnswer]:
    """Visits to the sites that one may see as a whole."""
    span = checked_span(start, end, longest_ns=LONGEST_NS)
    scope = await load_scope(services, session, rights.LOOK)
    who = MemberId(member_id)
    if await member(services.pool, who) is None or not await visible_members(services, scope, [who]):
        raise not_found()
    found = await visits(services.pool, who, span, scope.whole_sites)
    await looks.record(
        services, session, purpose, "search_visits", shown=[who], member_id=who, span=span, results=len(found)
    )
    return [
        VisitAnswer(
            site_id=visit.site_id,
            site=scope.sites[visit.site_id].name,
            time_zone=scope.zone_of(visit.site_id),
            start=to_iso(visit.start_ns),
            end=None if visit.end_ns is None else to_iso(visit.end_ns),
            first_event=visit.first_event,
            last_event=visit.last_event,
        )
        for visit in found
    ]


@router.get("/events", responses=declared(401, 404))
async def find_events(
    services: Ours,
    session: SignedIn,
    purpose: Stated,
    start: Start,
    end: End,
    site: UUID | None = None,
    door: UUID | None = None,
    member: UUID | None = None,
    limit: Annotated[int, Query(ge=1, le=500)] = 100,
    cursor: Annotated[str | None, Query(max_length=64)] = None,
) -> EventsPage:
    """Events at the doors that one may see, newest first."""
    span = checked_span(start, end, longest_ns=LONGEST_NS)
    scope = await load_scope(services, session, rights.LOOK)
    _known(scope, site, door)
    rows = await events(
        services.pool,
        site_ids=list(scope.sites) if site is None else [SiteId(site)],
        span=span,
        door_ids=list(scope.doors) if door is None else [DoorId(door)],
        member_ids=None if member is None else [MemberId(member)],
        limit=limit,
        before=cursor_of(cursor),
    )
    people = await looks.known_members(services, (row.event for row in rows))
    await looks.record(
        services,
        session,
        purpose,
        "search_events",
        shown=[row.event.member_id for row in rows],
        member_id=None if member is None else MemberId(member),
        span=span,
        results=len(rows),
    )
    return EventsPage(
        events=[event_answer(row.event, row.cameras, scope, people, purpose) for row in rows],
        next=rows[-1].cursor.pack() if len(rows) == limit else None,
    )


def _known(scope: Scope, site: UUID | None, door: UUID | None) -> None:
    if (site is not None and site not in scope.sites) or (door is not None and door not in scope.doors):
        raise not_found()

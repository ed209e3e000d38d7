"""Members, their visits, and events. Every page is on record before it leaves."""

from __future__ import annotations

from typing import Annotated, Final
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import BaseModel

from api.audit import looks
from api.http.cursors import cursor_of
from api.http.problems import declared, not_found
from api.http.times import End, Start, checked_span
from api.records import RecordsDep
from api.search.answers import EventAnswer, MemberAnswer, VisitAnswer, event_answer, member_answer, visit_answer
from api.search.plain_words import Words
from api.sign_in import rights
from api.sign_in.purposes import Stated, StatedForMembers
from api.sign_in.scope import Scope, load_scope, named_members, visible_members
from api.sign_in.sessions import SignedIn
from domain.ids import DoorId, MemberId, SiteId
from domain.time import DAY_NS
from storage.access import events, member, visits

router = APIRouter(prefix="/v1", tags=["search"])
LONGEST_NS: Final = 400 * DAY_NS


class EventsPage(BaseModel):
    """Events, the newest first; `next` continues the list."""

    events: list[EventAnswer]
    next: str | None


@router.get("/members", responses=declared(401, 404))
async def find_members(
    records: RecordsDep,
    session: SignedIn,
    purpose: StatedForMembers,
    query: Annotated[Words, Query(description="Part of a name, or the beginning of a number.")],
    limit: Annotated[int, Query(ge=1, le=100)] = 20,
) -> list[MemberAnswer]:
    """Members by name or number, of those who have been at a door that one may see."""
    scope = await load_scope(records, session, rights.MEMBERS)
    rows, _ = await named_members(records, scope, query, limit)
    shown = {row.member_id: row for row in rows}
    await looks.record(records, session, purpose, "search_members", shown=shown, results=len(shown))
    return [member_answer(member_id, shown) for member_id in shown]


@router.get("/members/{member_id}/visits", responses=declared(401, 404))
async def member_visits(
    records: RecordsDep, session: SignedIn, purpose: Stated, member_id: UUID, start: Start, end: End
) -> list[VisitAnswer]:
    """Visits to the sites that one may see as a whole."""
    span = checked_span(start, end, longest_ns=LONGEST_NS)
    scope = await load_scope(records, session, rights.LOOK)
    who = MemberId(member_id)
    if await member(records.pool, who) is None or not await visible_members(records, scope, [who]):
        raise not_found()
    found = await visits(records.pool, who, span, scope.whole_sites)
    await looks.record(
        records, session, purpose, "search_visits", shown=[who], member_id=who, span=span, results=len(found)
    )
    return [visit_answer(visit, scope) for visit in found]


@router.get("/events", responses=declared(401, 404))
async def find_events(
    records: RecordsDep,
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
    scope = await load_scope(records, session, rights.LOOK)
    _known(scope, site, door)
    rows = await events(
        records.pool,
        site_ids=list(scope.sites) if site is None else [SiteId(site)],
        span=span,
        door_ids=list(scope.doors) if door is None else [DoorId(door)],
        member_ids=None if member is None else [MemberId(member)],
        limit=limit,
        before=cursor_of(cursor),
    )
    people = await looks.known_members(records, (row.event for row in rows))
    await looks.record(
        records,
        session,
        purpose,
        "search_events",
        shown=[row.event.member_id for row in rows],
        member_id=None if member is None else MemberId(member),
        span=span,
        results=len(rows),
    )
    return EventsPage(
        events=[event_answer(row.event, row.cameras, scope, people, purpose, records.clock_ns()) for row in rows],
        next=rows[-1].cursor.pack() if len(rows) == limit else None,
    )


def _known(scope: Scope, site: UUID | None, door: UUID | None) -> None:
    if (site is not None and site not in scope.sites) or (door is not None and door not in scope.doors):
        raise not_found()

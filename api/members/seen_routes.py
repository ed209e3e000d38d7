"""What a member learns: visits, as doors reported their credential, and when and why staff looked at their data."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Final
from uuid import UUID

from fastapi import APIRouter, Query

from api.audit.disclosed import LAST, looks_at
from api.http.problems import declared
from api.http.times import Instant
from api.members.room import MembersDep
from api.members.sessions import MemberSignedIn, record
from api.members.shapes import LooksAnswer, VisitAnswer, VisitsAnswer
from api.recipients.rows import recipients
from api.recipients.shapes import ToldAnswer, told_answer
from domain.access import Visit
from domain.time import DAY_NS, Span, to_iso
from runtime import sql
from runtime.database import wrapped_errors
from storage.access import visits

router = APIRouter(prefix="/v1/me", tags=["seen"])
SPAN_NS: Final = 31 * DAY_NS


@router.get("/visits", responses=declared(401, 429))
async def own_visits(
    room: MembersDep,
    session: MemberSignedIn,
    until: Annotated[Instant | None, Query(description="`start` of the answer before; by default now.")] = None,
) -> VisitsAnswer:
    """The visits of the 31 days before ``until``, the newest first."""
    await record(room, room.records.pool, session, "member_read", {"what": "visits"})
    end_ns = room.records.clock_ns() + 1 if until is None else until
    span, pool = Span(max(0, end_ns - SPAN_NS), max(1, end_ns)), room.records.pool
    with wrapped_errors():
        sites = {row["site_id"]: row for row in await pool.fetch(sql.load("api.members", "sites"))}
    found = [
        each for each in await visits(pool, session.member_id, span, list(sites)) if each.start_ns >= span.start_ns
    ]
    events = [each.first_event for each in found] + [each.last_event for each in found if each.last_event]
    with wrapped_errors():
        rows = await pool.fetch(sql.load("api.members", "doors_of"), events, session.member_id)
        earlier = await pool.fetchval(sql.load("api.members", "earlier"), session.member_id, span.start_ns)
    doors: dict[UUID | None, Mapping[str, Any]] = {row["event_id"]: row for row in rows}
    return VisitsAnswer(
        start=to_iso(span.start_ns),
        end=to_iso(span.end_ns),
        visits=[_visit(each, sites[each.site_id], doors) for each in reversed(found)],
        earlier=bool(earlier),
    )


@router.get("/looks", responses=declared(401, 429))
async def own_looks(
    room: MembersDep,
    session: MemberSignedIn,
    before: Annotated[int, Query(ge=1, le=LAST, description="`next` of the page before.")] = LAST,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
) -> LooksAnswer:
    """When and why staff looked at the member's data; not who."""
    await record(room, room.records.pool, session, "member_read", {"what": "looks"})
    looks, after = await looks_at(room.records, session.member_id, before, limit)
    return LooksAnswer(looks=looks, next=after)


@router.get("/recipients", responses=declared(401, 429))
async def own_recipients(room: MembersDep, session: MemberSignedIn) -> list[ToldAnswer]:
    """Who received the member's data or footage, why and on what basis; not which of the staff gave it."""
    await record(room, room.records.pool, session, "member_read", {"what": "recipients"})
    return [told_answer(each) for each in await recipients(room.records, session.member_id)]


def _visit(visit: Visit, site: Mapping[str, Any], doors: Mapping[UUID | None, Mapping[str, Any]]) -> VisitAnswer:
    """A visit without a way out ends, for our purposes, with its last entry: that is no end for the member."""
    first, last = doors.get(visit.first_event), doors.get(visit.last_event)
    out = last if last is not None and last["leads_out"] else None
    return VisitAnswer(
        site=site["name"],
        time_zone=site["time_zone"],
        start=to_iso(visit.start_ns),
        door="" if first is None else first["name"],
        end=None if out is None or visit.end_ns is None else to_iso(visit.end_ns),
        end_door=None if out is None else out["name"],
    )

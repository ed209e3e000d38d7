"""The one search box: names, numbers, doors and time in plain words, in any order, to events with their cameras."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Annotated, Final
from uuid import UUID

from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel, Field

from api.audit import looks
from api.http.problems import declared, not_found
from api.http.times import span_json
from api.records import Records, RecordsDep
from api.search.answers import EventAnswer, MemberAnswer, SpanAnswer, event_answer, member_answer
from api.search.meaning import Meant, meaning
from api.search.passages import SAME_NS, Place, passages_of, place_of
from api.search.plain_words import Words
from api.search.time_words import TimeWords, parse_time_words
from api.sign_in import rights
from api.sign_in.purposes import Stated
from api.sign_in.scope import DoorRow, Scope, load_scope, visible_members
from api.sign_in.sessions import SignedIn
from domain.access import EventKind
from domain.ids import CameraId, DoorId, MemberId, SiteId
from domain.time import DAY_NS, NS, Span
from storage.access import Cursor, EventRow, MemberRow, Only, events, member

router = APIRouter(prefix="/v1", tags=["search"])
WITHOUT_TIME_NS: Final = 31 * DAY_NS
"""How far back a search without a time goes,"""
OF_MEMBER_NS: Final = 400 * DAY_NS
"""and one for all that a member did."""
_AROUND_MAX: Final = 500


class Hit(EventAnswer):
    """One passage: an event and what the door reported with it."""

    kinds: list[str] = Field(description="What the door reported of this passage, in order: granted, entered.")
    close_upon_s: float | None = Field(
        description="The door was unlocked this soon after the time before; null: not within ten seconds."
    )


class Understood(BaseModel):
    """How the query was understood."""

    span: SpanAnswer | None
    time_zone: str
    doors: list[str]
    kinds: list[str] = Field(description="Kinds of events that its words name.")
    minors: bool
    close: bool
    words: str = Field(description="What was taken for a member's name or number.")
    left_out: str = Field(description='What was taken for neither: "who let a second person in".')


class Findings(BaseModel):
    """What a query finds, the newest first."""

    understood: Understood
    members: list[MemberAnswer]
    hits: list[Hit]
    next: str | None = Field(description="Continues the list; null at its end.")
    more: bool = Field(description="More members than were searched have such a name: give more of it.")


@dataclass(frozen=True, slots=True)
class Filters:
    """What a search is restricted to beside its words. Kinds add up with those that the words name."""

    site: UUID | None = None
    door: UUID | None = None
    member: Annotated[UUID | None, Query(description="Of one member, up to 400 days back.")] = None
    camera: Annotated[UUID | None, Query(description="Of doors that it saw at the time.")] = None
    kind: Annotated[list[EventKind] | None, Query(max_length=len(EventKind))] = None
    minors: Annotated[bool, Query(description="Only of members who are minors.")] = False
    close: Annotated[bool, Query(description="Only where the door had been unlocked within ten seconds before.")] = (
        False
    )

    def only(self, words: Only) -> Only:
        """Return these restrictions together with those of a query's words."""
        kinds = {*(self.kind or ()), *(words.kinds or ())}
        return Only(
            kinds=sorted(kinds) or None,
            camera_id=None if self.camera is None else CameraId(self.camera),
            minors=self.minors or words.minors,
            close=self.close or words.close,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Wanted:
    """A question, ready for the database. ``spans`` by time zone: 06:31 is each site's own."""

    sites: dict[str, list[SiteId]]
    spans: dict[str, Span]
    doors: list[DoorId]
    members: list[MemberId] | None
    only: Only


@router.get("/find", responses=declared(401, 404, 422))
async def find(
    records: RecordsDep,
    session: SignedIn,
    purpose: Stated,
    filters: Annotated[Filters, Depends()],
    query: Annotated[Words, Query(description="For example: `virtanen yesterday 18-19` or `front door 06:31`.")] = "",
    limit: Annotated[int, Query(ge=1, le=200, description="Events; those of one passage are one hit.")] = 60,
    cursor: Annotated[str | None, Query(max_length=64)] = None,
) -> Findings:
    """What the words mean, the members they may mean, and the passages, newest first. Without words: the last ones."""
    scope = await load_scope(records, session, rights.LOOK)
    doors, zones = _seen(scope, filters)
    place = place_of(cursor, records.clock_ns())
    now_ns = records.clock_ns() if place is None else place.asked_ns
    words = {zone: parse_time_words(query, now_ns, zone) for zone in zones}
    first = next(iter(words.values()))
    meant = await meaning(records, scope, doors, first)
    if filters.member is not None:
        meant = replace(meant, members=await _member(records, scope, MemberId(filters.member)), cut=False)
    wanted = _wanted(doors, zones, words, meant, filters, now_ns)
    page, around, full = await _page(records, wanted, limit, place) if _asks(meant, first, words) else ([], [], False)
    groups = passages_of(page, around)
    shown = [row.event for group in groups for row in group]
    people = await looks.known_members(records, shown) | meant.members
    looked = Span(min(s.start_ns for s in wanted.spans.values()), max(s.end_ns for s in wanted.spans.values()))
    await looks.record(records, session, purpose, "find", shown=[*people], span=looked, results=len(groups))
    return Findings(
        understood=_understood(first, next(iter(zones)), meant),
        members=[member_answer(member_id, meant.members) for member_id in meant.members],
        hits=[_hit(group, scope, people, purpose, records.clock_ns()) for group in groups],
        next=Place(cursor=page[-1].cursor, asked_ns=now_ns).pack() if full else None,
        more=meant.cut,
    )


def _seen(scope: Scope, filters: Filters) -> tuple[list[DoorRow], dict[str, list[SiteId]]]:
    """The doors to search and their sites by time zone. 404: a filter names what is not in the scope."""
    for named, known in ((filters.site, scope.sites), (filters.door, scope.doors), (filters.camera, scope.cameras)):
        if named is not None and named not in known:
            raise not_found()
    sites = [site for site in scope.sites if filters.site in (None, site)]
    if not sites:
        raise not_found()
    zones: dict[str, list[SiteId]] = {}
    for site in sites:
        zones.setdefault(scope.zone_of(site), []).append(site)
    return [
        door for door in scope.doors.values() if door.site_id in sites and filters.door in (None, door.door_id)
    ], zones


async def _member(records: Records, scope: Scope, member_id: MemberId) -> dict[MemberId, MemberRow]:
    """The member of the filter. 404: unknown, or never at a door in the scope."""
    found = await member(records.pool, member_id)
    if found is None or not await visible_members(records, scope, [member_id]):
        raise not_found()
    return {member_id: found}


def _wanted(
    doors: Sequence[DoorRow],
    zones: dict[str, list[SiteId]],
    words: dict[str, TimeWords],
    meant: Meant,
    filters: Filters,
    now_ns: int,
) -> _Wanted:
    back_ns = WITHOUT_TIME_NS if filters.member is None else OF_MEMBER_NS
    return _Wanted(
        sites=zones,
        spans={zone: each.span or Span(max(0, now_ns - back_ns), now_ns + DAY_NS) for zone, each in words.items()},
        doors=[door.door_id for door in meant.doors or doors],
        members=list(meant.members) or None,
        only=filters.only(meant.only),
    )


def _asks(meant: Meant, first: TimeWords, words: dict[str, TimeWords]) -> bool:
    """Whether the words ask for something: nothing typed does, only words that mean nothing do not."""
    if not meant.understood:
        return False
    timed = any(each.span for each in words.values())
    return bool(meant.members or meant.doors or meant.only != Only() or timed or not first.rest.strip())


async def _page(
    records: Records, wanted: _Wanted, limit: int, place: Place | None
) -> tuple[list[EventRow], list[EventRow], bool]:
    """The page's events, newest first; those within SAME_NS of its ends; and whether there are more."""
    before = None if place is None else place.cursor
    rows = await _events(records, wanted, limit + 1, before)
    full, rows = len(rows) > limit, rows[:limit]
    around: list[EventRow] = []
    if place is not None:
        at_ns = place.cursor.time_ns
        later = await _events(records, wanted, _AROUND_MAX, None, Span(at_ns, at_ns + SAME_NS + 1))
        around += (row for row in later if _key(row.cursor) >= _key(place.cursor))
    if full:
        at_ns = rows[-1].event.occurred_ns
        around += await _events(records, wanted, _AROUND_MAX, rows[-1].cursor, Span(max(0, at_ns - SAME_NS), at_ns + 1))
    return rows, around, full


async def _events(
    records: Records, wanted: _Wanted, limit: int, before: Cursor | None, within: Span | None = None
) -> list[EventRow]:
    """Newest first, of all time zones together."""
    found: list[EventRow] = []
    for zone, sites in wanted.sites.items():
        span = wanted.spans[zone].clipped_to(within) if within else wanted.spans[zone]
        if span is not None:
            found += await events(
                records.pool,
                site_ids=sites,
                span=span,
                door_ids=wanted.doors,
                member_ids=wanted.members,
                limit=limit,
                before=before,
                only=wanted.only,
            )
    return sorted(found, key=lambda row: _key(row.cursor), reverse=True)[:limit]


def _key(cursor: Cursor) -> tuple[int, UUID]:
    return cursor.time_ns, cursor.row_id


def _understood(words: TimeWords, zone: str, meant: Meant) -> Understood:
    return Understood(
        span=None if words.span is None else SpanAnswer(**span_json(words.span)),
        time_zone=zone,
        doors=[door.name for door in meant.doors],
        kinds=[kind.value for kind in meant.only.kinds or ()],
        minors=meant.only.minors,
        close=meant.only.close,
        words=meant.name,
        left_out=meant.left_out,
    )


def _hit(group: list[EventRow], scope: Scope, people: dict[MemberId, MemberRow], purpose: Stated, now_ns: int) -> Hit:
    first = group[0]
    answer = event_answer(first.event, first.cameras, scope, people, purpose, now_ns)
    return Hit(
        **answer.model_dump(),
        kinds=[row.event.kind.value for row in group],
        close_upon_s=None if first.close_upon_ns is None else first.close_upon_ns / NS,
    )

"""The one search box: names, numbers, doors and time in plain words, in any order, to events with their cameras."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Annotated, Final
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field

from api.audit import looks
from api.http.problems import declared, not_found
from api.http.times import span_json
from api.records import Records, RecordsDep
from api.search.answers import EventAnswer, MemberAnswer, SpanAnswer, event_answer, member_answer
from api.search.door_words import split_doors
from api.search.plain_words import Words, without_fillers
from api.search.time_words import TimeWords, parse_time_words
from api.sign_in import rights
from api.sign_in.purposes import Stated
from api.sign_in.scope import DoorRow, Scope, load_scope, named_members
from api.sign_in.sessions import SignedIn
from domain.access import AccessEvent, EventKind
from domain.ids import MemberId, SiteId
from domain.time import DAY_NS, NS, Span
from storage.access import EventRow, MemberRow, events, fold

router = APIRouter(prefix="/v1", tags=["search"])
WITHOUT_TIME_NS: Final = 31 * DAY_NS
"""How far back a search without a time goes."""
_MEMBERS: Final = 16
_SAME_PASSAGE_NS: Final = 30 * NS
"""A grant and the opening of the door that follows it are one line."""


class Hit(EventAnswer):
    """One passage: an event and what the door reported with it."""

    kinds: list[str] = Field(description="What the door reported of this passage, in order: granted, entered.")


class Understood(BaseModel):
    """How the query was read."""

    span: SpanAnswer | None
    time_zone: str
    doors: list[str]
    words: str = Field(description="What was taken for a member's name or number.")
    left_out: str = Field(description='What was taken for neither: "who let a second person in".')


class Findings(BaseModel):
    """What a query finds, the newest first."""

    understood: Understood
    members: list[MemberAnswer]
    hits: list[Hit]
    more: bool = Field(description="There is more: name a time, a door or more of the name.")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Meant:
    """What the query's words mean. ``name`` without ``members``: a name that no member has."""

    doors: Sequence[DoorRow]
    name: str
    members: dict[MemberId, MemberRow]
    cut: bool
    left_out: str = ""


@router.get("/find", responses=declared(401, 404))
async def find(
    records: RecordsDep,
    session: SignedIn,
    purpose: Stated,
    query: Annotated[Words, Query(description="For example: `virtanen yesterday 18-19` or `front door 06:31`.")],
    site: UUID | None = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 60,
) -> Findings:
    """What the words mean, the members they may mean, and the passages, newest first."""
    scope = await load_scope(records, session, rights.LOOK)
    if (site is not None and site not in scope.sites) or not scope.sites:
        raise not_found()
    sites = tuple(scope.sites) if site is None else (SiteId(site),)
    now_ns = records.clock_ns()
    words = {zone: parse_time_words(query, now_ns, zone) for zone in dict.fromkeys(map(scope.zone_of, sites))}
    first = words[scope.zone_of(sites[0])]
    doors = [door for door in scope.doors.values() if door.site_id in sites]
    meant = await _meant(records, scope, doors, first)
    rows, more = await _events(records, scope, sites, words, meant, limit, now_ns)
    people = await looks.known_members(records, (row.event for row in rows)) | meant.members
    spans = [_span(each, now_ns) for each in words.values()]
    looked = Span(min(span.start_ns for span in spans), max(span.end_ns for span in spans))
    hits = [_hit(group, scope, people, purpose) for group in passages(rows)]
    await looks.record(records, session, purpose, "find", shown=[*people], span=looked, results=len(hits))
    return Findings(
        understood=Understood(
            span=None if first.span is None else SpanAnswer(**span_json(first.span)),
            time_zone=scope.zone_of(sites[0]),
            doors=[door.name for door in meant.doors],
            words=meant.name,
            left_out=meant.left_out,
        ),
        members=[member_answer(member_id, meant.members) for member_id in meant.members],
        hits=hits,
        more=more or meant.cut,
    )


def passages(rows: Sequence[EventRow]) -> list[list[EventRow]]:
    """Newest first, as they come; a grant and what the door then did are one, with the grant first."""
    groups: list[list[EventRow]] = []
    for row in rows:
        group = _later_part(groups, row)
        if group is None:
            groups.append([row])
        else:
            group.insert(0, row)
    return groups


def _later_part(groups: list[list[EventRow]], row: EventRow) -> list[EventRow] | None:
    for group in reversed(groups):
        if group[0].event.occurred_ns - row.event.occurred_ns > _SAME_PASSAGE_NS:
            return None
        if _one_passage(row.event, group[0].event):
            return group
    return None


def _one_passage(earlier: AccessEvent, later: AccessEvent) -> bool:
    return (
        earlier.kind is EventKind.GRANTED
        and later.kind in (EventKind.ENTERED, EventKind.NOT_ENTERED)
        and earlier.door_id == later.door_id
        and (later.member_id is None or later.member_id == earlier.member_id)
    )


async def _meant(records: Records, scope: Scope, doors: Sequence[DoorRow], words: TimeWords) -> _Meant:
    """Find the members and doors that the words name. Filler words of a whole sentence are left out."""
    meant = await _named(records, scope, doors, words.rest)
    if meant.members or not meant.name:
        return meant
    kept, left_out = without_fillers(words.rest)
    if kept == words.rest:
        return meant
    again = await _named(records, scope, doors, kept)
    if again.members or (not again.name and (again.doors or words.span)):
        return replace(again, left_out=left_out)
    return meant


async def _named(records: Records, scope: Scope, all_doors: Sequence[DoorRow], rest: str) -> _Meant:
    doors, name = split_doors(rest, all_doors)
    if doors and not name and not _whole_word(rest, doors):
        # The words are only prefixes of doors' names: a member of that name comes first.
        members, cut = await _members(records, scope, rest)
        if members:
            return _Meant(doors=[], name=fold(rest), members=members, cut=cut)
    members, cut = await _members(records, scope, name) if name else ({}, False)
    if name and doors and not members:
        # Not a door's name with a member's, then; perhaps all of it is a member's.
        members, cut = await _members(records, scope, rest)
        doors = [] if members else doors
    return _Meant(doors=doors, name=name, members=members, cut=cut)


def _whole_word(rest: str, doors: Sequence[DoorRow]) -> bool:
    named = {part for door in doors for part in fold(door.name).split()}
    return any(word in named for word in fold(rest).split())


async def _members(records: Records, scope: Scope, name: str) -> tuple[dict[MemberId, MemberRow], bool]:
    rows, cut = await named_members(records, scope, name, _MEMBERS)
    return {row.member_id: row for row in rows}, cut


async def _events(
    records: Records,
    scope: Scope,
    sites: Sequence[SiteId],
    words: Mapping[str, TimeWords],
    meant: _Meant,
    limit: int,
    now_ns: int,
) -> tuple[list[EventRow], bool]:
    """Newest first, cut to the scope; and whether there were more. ``words`` by time zone: 06:31 is each site's own."""
    timed = any(each.span for each in words.values())
    if (meant.name and not meant.members) or not (meant.members or meant.doors or timed):
        return [], False
    rows: list[EventRow] = []
    for zone, each in words.items():
        rows += await events(
            records.pool,
            site_ids=[site for site in sites if scope.zone_of(site) == zone],
            span=_span(each, now_ns),
            door_ids=[door.door_id for door in meant.doors] or list(scope.doors),
            member_ids=list(meant.members) or None,
            limit=limit + 1,
        )
    rows.sort(key=lambda row: (row.event.occurred_ns, row.event.event_id), reverse=True)
    return rows[:limit], len(rows) > limit


def _span(words: TimeWords, now_ns: int) -> Span:
    return words.span or Span(max(0, now_ns - WITHOUT_TIME_NS), now_ns + DAY_NS)


def _hit(group: list[EventRow], scope: Scope, people: dict[MemberId, MemberRow], purpose: Stated) -> Hit:
    first = group[0]
    answer = event_answer(first.event, first.cameras, scope, people, purpose)
    return Hit(**answer.model_dump(), kinds=[row.event.kind.value for row in group])

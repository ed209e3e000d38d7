"""The one search box: names, numbers, doors and time in plain words, in any order, to events with their cameras."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Final
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field

from api import looks, rights
from api.answers import EventAnswer, MemberAnswer, SpanAnswer, event_answer, member_answer
from api.problems import declared, not_found
from api.purposes import Stated
from api.scope import DoorRow, Scope, load_scope, named_members
from api.search import Words
from api.services import Ours, Services
from api.sessions import SignedIn
from api.time_words import TimeWords, parse_time_words
from api.times import span_json
from domain.access import AccessEvent, EventKind
from domain.ids import DoorId, MemberId, SiteId
from domain.time import DAY_NS, NS, Span
from storage.access import EventRow, MemberRow, events, fold

router = APIRouter(prefix="/v1", tags=["search"])
WITHOUT_TIME_NS: Final = 31 * DAY_NS
"""How far back a search without a time goes."""
_MEMBERS: Final = 16
_DOORS: Final = 16
_SAME_PASSAGE_NS: Final = 30 * NS
"""A grant and the opening of the door that follows it are one line."""


class Hit(EventAnswer):
    kinds: list[str] = Field(description="What the door reported of this passage, in order: granted, entered.")


class Understood(BaseModel):
    span: SpanAnswer | None
    time_zone: str
    doors: list[str]
    words: str = Field(description="What was taken for a member's name or number.")


class Findings(BaseModel):
    understood: Understood
    members: list[MemberAnswer]
    hits: list[Hit]
    more: bool = Field(description="There is more: name a time, a door or more of the name.")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Query:
    span: Span
    sites: tuple[SiteId, ...]
    doors: tuple[DoorId | None, ...]  # None: any
    members: tuple[MemberId | None, ...]


@router.get("/find", responses=declared(401, 404))
async def find(
    services: Ours,
    session: SignedIn,
    purpose: Stated,
    query: Annotated[Words, Query(description="For example: `virtanen yesterday 18-19` or `front door 06:31`.")],
    site: UUID | None = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 60,
) -> Findings:
    """What the words mean, the members they may mean, and the passages, newest first."""
    scope = await load_scope(services, session, rights.LOOK)
    if (site is not None and site not in scope.sites) or not scope.sites:
        raise not_found()
    sites = tuple(scope.sites) if site is None else (SiteId(site),)
    zone = scope.zone_of(sites[0])
    now_ns = services.clock_ns()
    words = parse_time_words(query, now_ns, zone)
    doors, name = split_doors(words.rest, [door for door in scope.doors.values() if door.site_id in sites])
    members, cut = await _members(services, scope, name) if name else ({}, False)
    if name and doors and not members:
        # Not a door's name with a member's, then; perhaps all of it is a member's.
        members, cut = await _members(services, scope, words.rest)
        doors = [] if members else doors
    rows, more = await _events(services, scope, sites, words, doors, members, bool(name), limit, now_ns)
    people = await looks.known_members(services, (row.event for row in rows)) | members
    hits = [_hit(group, scope, people, purpose) for group in passages(rows)]
    await looks.record(services, session, purpose, "find", shown=[*people], span=words.span, results=len(hits))
    return Findings(
        understood=Understood(
            span=None if words.span is None else SpanAnswer(**span_json(words.span)),
            time_zone=zone,
            doors=[door.name for door in doors],
            words=name,
        ),
        members=[member_answer(member_id, members) for member_id in members],
        hits=hits,
        more=more or cut,
    )


def split_doors(rest: str, doors: Sequence[DoorRow]) -> tuple[list[DoorRow], str]:
    """The doors that most of the words name, and the words left over. A word names a door by how one of its begins."""
    words = fold(rest).split()
    best: tuple[int, list[DoorRow], list[str]] = (0, [], words)
    for door in doors:
        own = fold(door.name).split()
        left = [word for word in words if not any(part.startswith(word) for part in own)]
        named = len(words) - len(left)
        if named > best[0]:
            best = (named, [door], left)
        elif named == best[0] and named and left == best[2]:
            best[1].append(door)
    # "s" alone names nothing: too many doors begin with it.
    if sum(len(word) for word in words) - sum(len(word) for word in best[2]) < 2:
        return [], " ".join(words)
    return best[1][:_DOORS], " ".join(best[2])


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


async def _members(services: Services, scope: Scope, name: str) -> tuple[dict[MemberId, MemberRow], bool]:
    rows, cut = await named_members(services, scope, name, _MEMBERS)
    return {row.member_id: row for row in rows}, cut


async def _events(
    services: Services,
    scope: Scope,
    sites: tuple[SiteId, ...],
    words: TimeWords,
    doors: Sequence[DoorRow],
    members: dict[MemberId, MemberRow],
    named: bool,
    limit: int,
    now_ns: int,
) -> tuple[list[EventRow], bool]:
    """Newest first, cut to the scope; and whether there were more."""
    if (named and not members) or not (members or doors or words.span):
        return [], False
    span = words.span or Span(max(0, now_ns - WITHOUT_TIME_NS), now_ns + DAY_NS)
    wanted = _Query(
        span=span,
        sites=sites,
        doors=tuple(door.door_id for door in doors) or (None,),
        members=tuple(members) or (None,),
    )
    rows: list[EventRow] = []
    for door_id in wanted.doors:
        for member_id in wanted.members:
            rows += await events(
                services.pool,
                site_ids=wanted.sites,
                span=wanted.span,
                door_id=door_id,
                member_id=member_id,
                limit=limit + 1,
            )
    rows.sort(key=lambda row: (row.event.occurred_ns, row.event.event_id), reverse=True)
    shown = [row for row in rows if row.event.door_id in scope.doors]
    return shown[:limit], len(rows) > limit


def _hit(group: list[EventRow], scope: Scope, people: dict[MemberId, MemberRow], purpose: Stated) -> Hit:
    first = group[0]
    answer = event_answer(first.event, first.cameras, scope, people, purpose)
    return Hit(**answer.model_dump(), kinds=[row.event.kind.value for row in group])

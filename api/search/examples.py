"""Example searches that find something: on the first day nothing happened "yesterday 18-19"."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Final
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field

from api.http.problems import declared, not_found
from api.records import Records, RecordsDep
from api.search.door_words import split_doors
from api.search.plain_words import Words
from api.search.time_words import parse_time_words
from api.sign_in import rights
from api.sign_in.purposes import Stated
from api.sign_in.scope import Scope, load_scope
from api.sign_in.sessions import SignedIn
from domain.access import AccessEvent
from domain.time import DAY_NS, MINUTE_NS, NS, Span
from storage.access import events

router = APIRouter(prefix="/v1", tags=["search"])
SHOWN_MAX: Final = 4


class Examples(BaseModel):
    """Queries for the search box."""

    examples: list[str] = Field(description="Each finds something now; none where nothing happened yet.")


@router.get("/find/examples", responses=declared(401, 404))
async def find_examples(
    records: RecordsDep,
    session: SignedIn,
    purpose: Stated,
    query: Annotated[
        list[Words], Query(max_length=8, description="Times in words, to be kept if they find something.")
    ],
) -> Examples:
    """The last event's minute, its door and hour, and those of the given times at which something happened.

    They say when something happened and name no member, so showing them is not a look.
    """
    scope = await load_scope(records, session, rights.LOOK)
    if not scope.sites:
        raise not_found()
    now_ns = records.clock_ns()
    last = await _last(records, scope, Span(now_ns - DAY_NS + MINUTE_NS, now_ns))
    found = [] if last is None else made_of(last, scope, now_ns)
    zones = sorted({site.time_zone for site in scope.sites.values()})
    for text in query:
        if len(found) < SHOWN_MAX and await _finds(records, scope, zones, text, now_ns):
            found.append(text)
    return Examples(examples=found[:SHOWN_MAX])


def made_of(event: AccessEvent, scope: Scope, now_ns: int) -> list[str]:
    """Queries that find the event, of less than a day ago: its minute; its door and hour, where they are understood."""
    zone = scope.zone_of(event.site_id)
    local = datetime.fromtimestamp(event.occurred_ns // NS, tz=ZoneInfo(zone))
    door = scope.doors[event.door_id]
    doors = [other for other in scope.doors.values() if other.site_id == event.site_id]
    found = []
    for text in (f"{local:%H:%M}", f"{door.name} {local.hour}-{local.hour + 1}"):
        words = parse_time_words(text, now_ns, zone)
        meant, rest = split_doors(words.rest, doors) if words.rest else ([door], "")
        if words.span and words.span.start_ns <= event.occurred_ns < words.span.end_ns and door in meant and not rest:
            found.append(text)
    return found


async def _finds(records: Records, scope: Scope, zones: Sequence[str], text: str, now_ns: int) -> bool:
    for zone in zones:
        words = parse_time_words(text, now_ns, zone)
        if words.span is not None and not words.rest and await _last(records, scope, words.span, zone):
            return True
    return False


async def _last(records: Records, scope: Scope, span: Span, zone: str | None = None) -> AccessEvent | None:
    """The last event of a span, of the sites in a time zone."""
    sites = [site.site_id for site in scope.sites.values() if zone in (None, site.time_zone)]
    rows = await events(records.pool, site_ids=sites, span=span, door_ids=list(scope.doors), limit=1)
    return rows[0].event if rows else None

"""Visits, derived from events on request. Nothing is stored, so a correction or a late event needs no repair."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

import asyncpg

from domain.access import AccessEvent, Direction, EventKind, Visit
from domain.ids import MemberId, SiteId
from domain.time import DAY_NS, HOUR_NS, Span
from runtime import sql
from runtime.database import wrapped_errors
from storage.access.events import event_from_row

_PACKAGE: Final = "storage.access"
MERGE_NS: Final = HOUR_NS
"""Two entries without an exit between them are one visit when no more than this lies between them.

That covers an outer and an inner door, and a second attempt.
"""
_CONTEXT_NS: Final = DAY_NS
"""How far outside the requested span events count, to find the beginning and end of a visit that overlaps it."""


async def visits(
    conn_or_pool: asyncpg.Pool | asyncpg.Connection,
    member_id: MemberId,
    span: Span,
    site_ids: Sequence[SiteId],
    *,
    merge_ns: int = MERGE_NS,
) -> list[Visit]:
    """Return the member's visits to these sites that overlap ``span``, sorted by time.

    A visit starts with a grant or an entry (direction in or unknown) and ends with the next exit or movement out at
    that site. A grant after which the door stayed shut does not count. ``end_ns`` is None when no exit is known and
    nothing follows; when another visit follows, the visit ends with its own last event. Raises the database errors of
    runtime/errors.py.
    """
    arguments = (member_id, list(site_ids), span.start_ns - _CONTEXT_NS, span.end_ns + _CONTEXT_NS)
    with wrapped_errors():
        rows = await conn_or_pool.fetch(sql.load(_PACKAGE, "movements"), *arguments)
    found = derive_visits((event_from_row(row) for row in rows), merge_ns)
    return [visit for visit in found if visit.start_ns < span.end_ns and _ends_after(visit, span.start_ns)]


def derive_visits(movements: Iterable[AccessEvent], merge_ns: int = MERGE_NS) -> list[Visit]:
    """Derive visits from one member's events in force, sorted by time, less grants whose door stayed shut."""
    done: list[Visit] = []
    inside: dict[SiteId, _Open] = {}
    for event in movements:
        current = inside.get(event.site_id)
        if _leads_out(event):
            if current is not None:
                done.append(current.closed(event))
                del inside[event.site_id]
        elif current is not None and event.occurred_ns - current.last.occurred_ns <= merge_ns:
            inside[event.site_id] = _Open(first=current.first, last=event)
        else:
            if current is not None:
                done.append(current.closed(current.last))
            inside[event.site_id] = _Open(first=event, last=event)
    done.extend(current.closed(None) for current in inside.values())
    return sorted(done, key=lambda visit: (visit.start_ns, visit.site_id))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Open:
    """A visit whose end is not known yet."""

    first: AccessEvent
    last: AccessEvent

    def closed(self, end: AccessEvent | None) -> Visit:
        """The visit that ``end`` ends; one without an end when ``end`` is None."""
        assert self.first.member_id is not None  # the query selects one member's events
        return Visit(
            member_id=self.first.member_id,
            site_id=self.first.site_id,
            start_ns=self.first.occurred_ns,
            end_ns=None if end is None else end.occurred_ns,
            first_event=self.first.event_id,
            last_event=None if end is None else end.event_id,
        )


def _leads_out(event: AccessEvent) -> bool:
    return event.kind is EventKind.EXIT or event.direction is Direction.OUT


def _ends_after(visit: Visit, time_ns: int) -> bool:
    return visit.end_ns is None or visit.end_ns >= time_ns

"""The copy of a member's data (GDPR 15 and 20): everything that this gym holds about them, for people and for machines.

It is made anew each time and stored nowhere. It says when and why staff looked, never who (C-579/21, point 83).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final
from uuid import UUID

from api.audit.disclosed import looks_of
from api.recipients.rows import recipients
from api.recipients.shapes import told_answer
from api.records import Records
from api.requests.rows import RequestRow, listed
from domain.ids import MemberId, SiteId
from domain.time import DAY_NS, Span, to_iso
from runtime import sql
from runtime.database import wrapped_errors
from storage.access import MemberRow, visits
from storage.register import Field, consents, history

FORMAT: Final = "tallenne-copy-1"
_VERSIONS_MAX: Final = 10_000
_VISITS_NS: Final = 3660 * DAY_NS
_PACKAGE: Final = "api.requests"


async def make_copy(records: Records, request: RequestRow, who: MemberRow) -> dict[str, Any]:
    """Return the copy as JSON-ready values; times are RFC 3339 in UTC. The database's errors.

    The caller has put it on record. Clips are not part of it: they show other people, and need masking first.
    """
    told = await looks_of(records, who.member_id)
    with wrapped_errors():
        cards = await records.pool.fetch(sql.load(_PACKAGE, "cards"), request.request_id)
        passages = await records.pool.fetch(sql.load(_PACKAGE, "passages"), who.member_id)
        recordings = await records.pool.fetch(sql.load(_PACKAGE, "recordings"), who.member_id)
    return {
        "format": FORMAT,
        "made": to_iso(records.clock_ns()),
        "member": {"customer_number": who.number, "name": who.name, "minor": who.minor},
        "register": await _register(records, who.member_id),
        "consents": await _consents(records, who.member_id),
        "cards": [
            {
                "credential": row["credential"],
                "valid_from": to_iso(row["valid_from_ns"]),
                "valid_to": _time(row["valid_to_ns"]),
            }
            for row in cards
        ],
        "visits": await _visits(records, who.member_id),
        "passages": [
            {
                "at": to_iso(row["occurred_ns"]),
                "site": row["site"],
                "door": row["door"],
                "what": row["kind"],
                "direction": row["direction"],
                "time_is_uncertain": row["uncertain"],
            }
            for row in passages
        ],
        "recordings": _joined(recordings),
        "recipients": [told_answer(each).model_dump() for each in await recipients(records, who.member_id)],
        "looks": [each.model_dump() for each in told.looks],
        "notes": [each.model_dump() for each in told.bookmarks],
        "requests": _requests(await listed(records, member_id=who.member_id)),
    }


async def _register(records: Records, member_id: MemberId) -> list[dict[str, Any]]:
    return [
        {
            "field": each.field.value,
            "value": each.value,
            "source": each.source.value,
            "since": to_iso(each.from_ns),
            "until": _time(each.to_ns),
        }
        for each in await history(records.pool, member_id, list(Field), _VERSIONS_MAX)
    ]


async def _consents(records: Records, member_id: MemberId) -> list[dict[str, Any]]:
    return [
        {
            "purpose": each.purpose,
            "how": each.how.value,
            "given": to_iso(each.given_ns),
            "withdrawn": _time(each.withdrawn_ns),
        }
        for each in await consents(records.pool, member_id)
    ]


async def _visits(records: Records, member_id: MemberId) -> list[dict[str, Any]]:
    with wrapped_errors():
        rows = await records.pool.fetch(sql.load(_PACKAGE, "sites"))
    sites, now_ns = {SiteId(row["site_id"]): row["name"] for row in rows}, records.clock_ns()
    span = Span(max(0, now_ns - _VISITS_NS), now_ns + DAY_NS)
    return [
        {"site": sites[each.site_id], "from": to_iso(each.start_ns), "to": _time(each.end_ns)}
        for each in await visits(records.pool, member_id, span, list(sites))
    ]


def _time(time_ns: int | None) -> str | None:
    return None if time_ns is None else to_iso(time_ns)


def _joined(rows: Sequence[Any]) -> list[dict[str, Any]]:
    """Spans of one camera that touch or overlap are one recording."""
    found: list[dict[str, Any]] = []
    last: dict[tuple[str, str], list[Any]] = {}
    for row in rows:
        key = (row["site"], row["camera"])
        if key in last and row["start_ns"] <= last[key][1]:
            last[key][1] = max(last[key][1], row["end_ns"])
            last[key][0]["to"] = to_iso(last[key][1])
            continue
        said = {
            "site": row["site"],
            "camera": row["camera"],
            "from": to_iso(row["start_ns"]),
            "to": to_iso(row["end_ns"]),
        }
        found.append(said)
        last[key] = [said, row["end_ns"]]
    return found


def _requests(rows: Sequence[RequestRow]) -> list[dict[str, Any]]:
    return [
        {
            "kind": each.kind,
            "received": to_iso(each.received_ns),
            "channel": each.channel,
            "details": each.details,
            "state": each.state,
            "answer": each.answer,
        }
        for each in rows
    ]


def file_name(request_id: UUID, suffix: str) -> str:
    """Without anything about the member: names of files travel."""
    return f"copy-{str(request_id)[:8]}.{suffix}"

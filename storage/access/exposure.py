"""What was exposed, of which members, and who looked (GDPR 33 and 34): from the audit trail, by its index over time.

Reading it is a look itself: the caller writes an audit entry before anything is shown.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

import asyncpg

from domain.ids import CameraId, MemberId
from domain.time import Span, merge_spans
from runtime import sql
from runtime.database import wrapped_errors

FOOTAGE: Final = ("look", "look_whole", "look_live", "export_previewed")
EXPORTS: Final = ("export", "export_made", "export_fetched", "copy_made", "recipient_recorded")
SEARCHES: Final = ("find", "visit", "timeline", "search_members", "search_visits", "search_events")
RECORDS: Final = ("disclosure", "audit_read", "exports_listed", "register_read", "register_exported")
EXPOSING: Final = (*FOOTAGE, *EXPORTS, *SEARCHES, *RECORDS)
"""Actions by which a person saw personal data."""
ENTRIES_MAX: Final = 200_000

_PACKAGE: Final = "storage.access"
_PAGE: Final = 2000
_LAST: Final = (1 << 63) - 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Exposed:
    """An entry by which data was seen. ``person``: the staff's name and user name; without one, the actor."""

    seq: int
    at_ns: int
    actor: str
    person: str
    action: str
    purpose: str | None
    members: tuple[MemberId, ...]  # those that the entry names
    cameras: tuple[CameraId, ...]
    span: Span | None  # of their footage


async def exposed(conn: asyncpg.Connection, period: Span, staff_id: UUID | None = None) -> list[Exposed]:
    """Every such entry of the period, oldest first, at most ``ENTRIES_MAX``. Raises the database errors."""
    found: list[Exposed] = []
    actor = None if staff_id is None else f"staff:{staff_id}"
    at_ns, seq = period.start_ns - 1, _LAST  # what comes behind this begins with the period
    while len(found) < ENTRIES_MAX:
        with wrapped_errors():
            rows = await conn.fetch(
                sql.load(_PACKAGE, "exposed"), at_ns, period.end_ns, list(EXPOSING), actor, seq, _PAGE
            )
        found += map(_entry, rows)
        if len(rows) < _PAGE:
            break
        at_ns, seq = rows[-1]["at_ns"], rows[-1]["seq"]
    return found


async def members_seen(
    conn: asyncpg.Connection, spans: Mapping[CameraId, Iterable[Span]]
) -> dict[MemberId, set[CameraId]]:
    """Members whose credential was used at a door that a camera saw within ``spans``, with those cameras.

    Not who is in the picture: a credential may be used by another person.
    """
    flat = [(camera_id, span) for camera_id, own in spans.items() for span in merge_spans(list(own))]
    found: dict[MemberId, set[CameraId]] = {}
    for number in range(0, len(flat), _PAGE):
        part = flat[number : number + _PAGE]
        with wrapped_errors():
            rows = await conn.fetch(
                sql.load(_PACKAGE, "members_seen"),
                [camera_id for camera_id, _ in part],
                [span.start_ns for _, span in part],
                [span.end_ns for _, span in part],
            )
        for row in rows:
            found.setdefault(MemberId(row["member_id"]), set()).add(CameraId(row["camera_id"]))
    return found


async def staff_of_name(conn: asyncpg.Connection, user_name: str) -> UUID | None:
    """The person's id, if there is one of that user name."""
    with wrapped_errors():
        found: UUID | None = await conn.fetchval(sql.load(_PACKAGE, "staff_of_name"), user_name)
    return found


async def camera_names(conn: asyncpg.Connection, camera_ids: Collection[CameraId]) -> dict[CameraId, str]:
    """ "Site: camera" by id, of those that are known."""
    with wrapped_errors():
        rows = await conn.fetch(sql.load(_PACKAGE, "camera_names"), list(camera_ids))
    return {CameraId(row["camera_id"]): row["name"] for row in rows}


async def known_since(conn: asyncpg.Connection) -> tuple[int | None, int | None]:
    """When the first door event that is still kept occurred, and when the audit trail begins (ns)."""
    with wrapped_errors():
        row = await conn.fetchrow(sql.load(_PACKAGE, "earliest_event"))
    return row["event_ns"], row["entry_ns"]


def _entry(row: asyncpg.Record) -> Exposed:
    detail: dict[str, Any] = json.loads(row["detail"])
    named = {MemberId(UUID(each)) for each in detail.get("members", ())} | ({row["member_id"]} - {None})
    cameras = [*([row["camera_id"]] if row["camera_id"] else row["camera_ids"] or map(UUID, detail.get("cameras", ())))]
    start_ns, end_ns = row["start_ns"], row["end_ns"]
    if start_ns is None:
        start_ns, end_ns = row["export_start_ns"], row["export_end_ns"]
    who = row["actor"] if row["display_name"] is None else f"{row['display_name']} ({row['user_name']})"
    return Exposed(
        seq=row["seq"],
        at_ns=row["at_ns"],
        actor=row["actor"],
        person=who,
        action=row["action"],
        purpose=row["category"],
        members=tuple(sorted(named, key=str)),
        cameras=tuple(map(CameraId, cameras)),
        span=None if start_ns is None else Span(start_ns, end_ns),
    )

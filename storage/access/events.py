"""Events in force, newest first, with the cameras that view the door and the number of tagged segments.

An event is in force until another one supersedes it or an operator withdraws it.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import asyncpg

from domain.access import AccessEvent, Direction, EventKind, Tag
from domain.ids import CameraId, DoorId, EventId, MemberId, SegmentId, SiteId
from domain.time import NS, Span
from runtime import sql
from runtime.database import wrapped_errors
from storage.access.cursor import Cursor

_PACKAGE: Final = "storage.access"
LIMIT_MAX: Final = 1000
CLOSE_NS: Final = 10 * NS
"""A grant at a door within this time of the one before is worth a look: a second person may have come in on it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EventCamera:
    """A camera that was mapped to the event's door at the time of the event."""

    camera_id: CameraId
    span: Span  # of interest: from before_ns before the event until after_ns after it, by the mapping
    segments: int  # tagged with the event; 0: no footage, or none yet. The catalogue's gaps give the cause


@dataclass(frozen=True, slots=True, kw_only=True)
class EventRow:
    """An event in force and the cameras that view its door."""

    event: AccessEvent
    cameras: tuple[EventCamera, ...]
    close_upon_ns: int | None = None  # a grant: since the grant before at the same door, where that is at most CLOSE_NS

    @property
    def cursor(self) -> Cursor:
        """The cursor of the page that ends with this row."""
        return Cursor(time_ns=self.event.occurred_ns, row_id=self.event.event_id)


@dataclass(frozen=True, slots=True, kw_only=True)
class Only:
    """What further restricts a search for events; by default nothing."""

    kinds: Collection[EventKind] | None = None
    camera_id: CameraId | None = None  # at doors that it saw at the time
    minors: bool = False
    close: bool = False  # grants within CLOSE_NS of another at the same door


@dataclass(frozen=True, slots=True, kw_only=True)
class EventTag:
    """A tag in force."""

    tag: Tag
    segment: Span  # of the whole segment; the tag's span may be shorter


async def events(
    pool: asyncpg.Pool | asyncpg.Connection,
    *,
    site_ids: Sequence[SiteId],
    span: Span,
    door_ids: Collection[DoorId] | None = None,
    member_ids: Collection[MemberId] | None = None,
    limit: int = 100,
    before: Cursor | None = None,
    only: Only | None = None,
) -> list[EventRow]:
    """Return events in force of these sites that occurred in ``span``, newest first; at most ``limit`` (1,000).

    An event of uncertain time also counts when it arrived in ``span``. ``door_ids``, ``member_ids`` and ``only``
    restrict the result. ``before``: the cursor of the last row of the previous page. Raises the database errors of
    runtime/errors.py.
    """
    at, below = (before.time_ns, before.row_id) if before else (None, None)
    doors = None if door_ids is None else list(door_ids)
    members = None if member_ids is None else list(member_ids)
    only = only or Only()
    kinds = None if only.kinds is None else [kind.value for kind in only.kinds]
    page = (span.start_ns, span.end_ns, min(limit, LIMIT_MAX), at, below)
    narrowed = (kinds, only.camera_id, only.minors, CLOSE_NS, only.close)
    arguments = (list(site_ids), doors, members, *page, *narrowed)
    with wrapped_errors():
        rows = await pool.fetch(sql.load(_PACKAGE, "events"), *arguments)
    return [
        EventRow(event=event_from_row(row), cameras=_cameras(row), close_upon_ns=row["close_upon_ns"]) for row in rows
    ]


async def event(pool: asyncpg.Pool | asyncpg.Connection, event_id: EventId) -> AccessEvent | None:
    """Return an event in force, or None."""
    with wrapped_errors():
        row = await pool.fetchrow(sql.load(_PACKAGE, "event"), event_id)
    return None if row is None else event_from_row(row)


async def tags(pool: asyncpg.Pool | asyncpg.Connection, event_ids: Sequence[EventId]) -> list[EventTag]:
    """Return the tags in force of these events, sorted by event, camera and time."""
    with wrapped_errors():
        rows = await pool.fetch(sql.load(_PACKAGE, "tags"), list(event_ids))
    return [
        EventTag(
            tag=Tag(
                event_id=EventId(row["event_id"]),
                segment_id=SegmentId(row["segment_id"]),
                camera_id=CameraId(row["camera_id"]),
                span=Span(row["start_ns"], row["end_ns"]),
                uncertain=row["uncertain"],
            ),
            segment=Span(row["segment_start_ns"], row["segment_end_ns"]),
        )
        for row in rows
    ]


def event_from_row(row: Mapping[str, Any]) -> AccessEvent:
    """Convert a row of table ``access_event``, all columns."""
    return AccessEvent(
        event_id=EventId(row["event_id"]),
        site_id=SiteId(row["site_id"]),
        door_id=DoorId(row["door_id"]),
        kind=EventKind(row["kind"]),
        direction=None if row["direction"] is None else Direction(row["direction"]),
        member_id=None if row["member_id"] is None else MemberId(row["member_id"]),
        occurred_ns=row["occurred_ns"],
        received_ns=row["received_ns"],
        uncertain=row["uncertain"],
        reported_ns=row["reported_ns"],
    )


def _cameras(row: Mapping[str, Any]) -> tuple[EventCamera, ...]:
    t = row["occurred_ns"]
    found = zip(row["camera_ids"] or (), row["befores"] or (), row["afters"] or (), row["counts"] or (), strict=True)
    return tuple(
        EventCamera(camera_id=CameraId(camera), span=Span(t - before, t + after), segments=count)
        for camera, before, after, count in found
    )

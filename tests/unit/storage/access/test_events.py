"""Events: the arguments of the search, and rows to types."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from domain.access import Direction, EventKind
from domain.ids import CameraId, DoorId, EventId, MemberId, SegmentId, SiteId
from domain.time import NS, Span
from storage.access import Cursor, Only, event, events, tags
from storage.access.events import LIMIT_MAX
from tests.support.database.recording_pool import RecordingPool

SITE, DOOR, MEMBER = SiteId(UUID(int=1)), DoorId(UUID(int=2)), MemberId(UUID(int=3))
EVENT, CAMERAS = EventId(UUID(int=4)), [CameraId(UUID(int=5)), CameraId(UUID(int=6))]
SPAN = Span(1000, 2000)


def row(**changes: Any) -> dict[str, Any]:
    return {
        "event_id": EVENT,
        "site_id": SITE,
        "door_id": DOOR,
        "kind": "granted",
        "direction": "in",
        "member_id": MEMBER,
        "occurred_ns": 1500,
        "received_ns": 1600,
        "uncertain": False,
        "reported_ns": None,
        "camera_ids": CAMERAS,
        "befores": [10, 20],
        "afters": [30, 40],
        "counts": [2, 0],
        "close_upon_ns": None,
        **changes,
    }


async def test_row_becomes_an_event_with_the_cameras_that_view_its_door() -> None:
    (found,) = await events(RecordingPool([row()]), site_ids=[SITE], span=SPAN)
    assert (found.event.event_id, found.event.kind, found.event.direction) == (EVENT, EventKind.GRANTED, Direction.IN)
    assert (found.event.member_id, found.event.occurred_ns, found.event.received_ns) == (MEMBER, 1500, 1600)
    assert [(camera.camera_id, camera.span, camera.segments) for camera in found.cameras] == [
        (CAMERAS[0], Span(1490, 1530), 2),
        (CAMERAS[1], Span(1480, 1540), 0),
    ]
    assert found.cursor == Cursor(time_ns=1500, row_id=EVENT)


async def test_door_that_no_camera_views_and_an_event_of_nobody() -> None:
    nothing = dict.fromkeys(("camera_ids", "befores", "afters", "counts", "member_id", "direction"))
    (found,) = await events(RecordingPool([row(**nothing)]), site_ids=[SITE], span=SPAN)
    assert (found.cameras, found.event.member_id, found.event.direction) == ((), None, None)


async def test_search_hands_its_restrictions_to_the_database() -> None:
    pool = RecordingPool()
    await events(pool, site_ids=[SITE], span=SPAN)
    assert pool.arguments == ([SITE], None, None, 1000, 2000, 100, None, None, None, None, False, 10 * NS, False)
    cursor = Cursor(time_ns=7, row_id=EVENT)
    await events(
        pool, site_ids=[SITE], span=SPAN, door_ids=[DOOR], member_ids=[MEMBER], limit=10 * LIMIT_MAX, before=cursor
    )
    assert pool.arguments[:8] == ([SITE], [DOOR], [MEMBER], 1000, 2000, LIMIT_MAX, 7, EVENT)
    only = Only(kinds=[EventKind.DENIED], camera_id=CAMERAS[0], minors=True, close=True)
    await events(pool, site_ids=[SITE], span=SPAN, only=only)
    assert pool.arguments[8:] == (["denied"], CAMERAS[0], True, 10 * NS, True)
    await events(pool, site_ids=[SITE], span=SPAN, door_ids=[], member_ids=[])
    assert pool.arguments[1:3] == ([], [])  # none of them, which is not the same as all of them


async def test_one_event_or_none() -> None:
    found = await event(RecordingPool([row()]), EVENT)
    assert found is not None
    assert found.event_id == EVENT
    assert await event(RecordingPool(), EVENT) is None


async def test_tag_has_its_own_span_and_its_segments() -> None:
    tag = {
        "event_id": EVENT,
        "segment_id": SegmentId(UUID(int=7)),
        "camera_id": CAMERAS[0],
        "start_ns": 1490,
        "end_ns": 1530,
        "uncertain": True,
        "segment_start_ns": 1400,
        "segment_end_ns": 1600,
    }
    (found,) = await tags(RecordingPool([tag]), [EVENT])
    assert (found.tag.span, found.tag.uncertain, found.segment) == (Span(1490, 1530), True, Span(1400, 1600))
    assert found.tag.segment_id == UUID(int=7)

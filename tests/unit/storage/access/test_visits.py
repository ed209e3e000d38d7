"""Visits from movements; the query that leaves out grants nobody walked through is tested against the database."""

from __future__ import annotations

import uuid
from typing import Any

import pytest

from domain.access import AccessEvent, Direction, EventKind
from domain.ids import DoorId, EventId, MemberId, SiteId
from domain.time import DAY_NS, HOUR_NS, MINUTE_NS, Span
from storage.access.visits import derive_visits, visits
from tests.support.database.recording_pool import RecordingPool

MEMBER = MemberId(uuid.uuid4())
SITES = [SiteId(uuid.UUID(int=n)) for n in (1, 2)]
IN, OUT = Direction.IN, Direction.OUT


def at(minute: int, kind: EventKind, direction: Direction | None = None, site: int = 0) -> AccessEvent:
    return AccessEvent(
        event_id=EventId(uuid.uuid4()),
        site_id=SITES[site],
        door_id=DoorId(uuid.uuid4()),
        kind=kind,
        direction=direction,
        member_id=MEMBER,
        occurred_ns=minute * MINUTE_NS,
        received_ns=minute * MINUTE_NS,
        uncertain=False,
    )


def minutes(*events: AccessEvent) -> list[tuple[int, int | None]]:
    return [
        (visit.start_ns // MINUTE_NS, None if visit.end_ns is None else visit.end_ns // MINUTE_NS)
        for visit in derive_visits(events)
    ]


def test_in_and_out_are_a_visit() -> None:
    granted, left = at(0, EventKind.GRANTED, IN), at(90, EventKind.GRANTED, OUT)
    (visit,) = derive_visits([granted, left])
    assert (visit.first_event, visit.last_event, visit.end_ns) == (granted.event_id, left.event_id, 90 * MINUTE_NS)


def test_exit_of_any_direction_ends_and_without_one_it_is_open() -> None:
    assert minutes(at(0, EventKind.GRANTED, IN), at(5, EventKind.EXIT)) == [(0, 5)]
    assert minutes(at(0, EventKind.ENTERED)) == [(0, None)]


def test_two_ins_close_together_are_one_visit() -> None:
    assert minutes(at(0, EventKind.GRANTED, IN), at(1, EventKind.ENTERED, IN), at(30, EventKind.EXIT)) == [(0, 30)]


def test_two_ins_far_apart_are_two_visits() -> None:
    events = (at(0, EventKind.GRANTED, IN), at(5, EventKind.GRANTED, IN), at(300, EventKind.GRANTED, IN))
    assert minutes(*events) == [(0, 5), (300, None)]
    (one,) = derive_visits(events, merge_ns=6 * HOUR_NS)
    assert one.end_ns is None


def test_out_without_in_is_none_and_sites_do_not_mix() -> None:
    assert minutes(at(0, EventKind.EXIT)) == []
    events = (at(0, EventKind.GRANTED, IN), at(10, EventKind.EXIT, site=1), at(20, EventKind.GRANTED, IN, site=1))
    assert minutes(*events) == [(0, None), (20, None)]


@pytest.mark.parametrize(("minute", "one"), [(59, True), (60, True), (61, False)])
def test_ins_are_merged_up_to_the_hour(minute: int, one: bool) -> None:
    visits = minutes(at(0, EventKind.GRANTED, IN), at(minute, EventKind.GRANTED, IN))
    assert (len(visits) == 1) is one


def test_merging_goes_by_the_last_movement_and_the_visit_keeps_its_first() -> None:
    events = [at(minute, EventKind.GRANTED, IN) for minute in (0, 50, 100, 150)]
    assert minutes(*events, at(160, EventKind.EXIT)) == [(0, 160)]


def movement(minute: int, kind: str, direction: str | None) -> dict[str, Any]:
    event = at(minute, EventKind(kind), None if direction is None else Direction(direction))
    return {name: getattr(event, name) for name in AccessEvent.__slots__} | {"kind": kind, "direction": direction}


@pytest.mark.parametrize(
    ("span", "expected"),
    [((0, 10), 0), ((0, 11), 1), ((10, 11), 1), ((15, 16), 1), ((20, 30), 1), ((21, 30), 0)],
)
async def test_visits_that_overlap_the_span_are_given(span: tuple[int, int], expected: int) -> None:
    """A visit of minutes 10 to 20. An end on the span's start still counts: somebody leaving is seen there."""
    pool = RecordingPool([movement(10, "granted", "in"), movement(20, "exit", None)])
    start, end = span
    found = await visits(pool, MEMBER, Span(start * MINUTE_NS, end * MINUTE_NS), SITES)
    assert len(found) == expected
    assert pool.arguments == (MEMBER, SITES, start * MINUTE_NS - DAY_NS, end * MINUTE_NS + DAY_NS)


async def test_visit_without_an_end_overlaps_everything_after_it() -> None:
    pool = RecordingPool([movement(10, "entered", None)])
    (found,) = await visits(pool, MEMBER, Span(500 * MINUTE_NS, 501 * MINUTE_NS), SITES)
    assert found.end_ns is None

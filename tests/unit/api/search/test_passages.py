"""Grants and entries as one passage, each on one page."""

from __future__ import annotations

import random
import uuid

import pytest

from api.http.problems import Problem
from api.search.passages import PLACE_FOR_NS, Place, passages, passages_of, place_of
from domain.access import AccessEvent, EventKind
from domain.ids import DoorId, EventId, MemberId, SiteId
from domain.time import DAY_NS, NS
from storage.access import Cursor, EventRow


def event(kind: EventKind, at_s: int, *, member: MemberId | None, door: DoorId) -> EventRow:
    return EventRow(
        event=AccessEvent(
            event_id=EventId(uuid.uuid4()),
            site_id=SiteId(uuid.UUID(int=1)),
            door_id=door,
            kind=kind,
            direction=None,
            member_id=member,
            occurred_ns=at_s * NS,
            received_ns=at_s * NS,
            uncertain=False,
        ),
        cameras=(),
    )


def test_grant_and_entry_are_one_passage() -> None:
    door, other = DoorId(uuid.uuid4()), DoorId(uuid.uuid4())
    one, two = MemberId(uuid.uuid4()), MemberId(uuid.uuid4())
    rows = [
        event(EventKind.ENTERED, 112, member=two, door=door),
        event(EventKind.GRANTED, 110, member=two, door=door),
        event(EventKind.ENTERED, 102, member=None, door=door),
        event(EventKind.GRANTED, 101, member=one, door=other),
        event(EventKind.GRANTED, 100, member=one, door=door),
        event(EventKind.GRANTED, 20, member=one, door=door),
    ]
    kinds = [[(row.event.kind.value, row.event.occurred_ns // NS) for row in group] for group in passages(rows)]
    assert kinds == [
        [("granted", 110), ("entered", 112)],
        [("granted", 100), ("entered", 102)],
        [("granted", 101)],
        [("granted", 20)],
    ]


def key(row: EventRow) -> tuple[int, uuid.UUID]:
    return row.cursor.time_ns, row.cursor.row_id


def paged(rows: list[EventRow], limit: int) -> list[list[EventRow]]:
    """What ``find`` puts together: pages of events, and the events of half a minute around each."""
    found: list[list[EventRow]] = []
    for first in range(0, len(rows), limit):
        page = rows[first : first + limit]
        around = [
            row
            for row in rows
            if (row not in page)
            and page[-1].event.occurred_ns - 30 * NS <= row.event.occurred_ns
            and row.event.occurred_ns <= page[0].event.occurred_ns + 30 * NS
        ]
        found += passages_of(page, around)
    return found


@pytest.mark.parametrize("limit", [1, 2, 3, 7, 60])
@pytest.mark.parametrize("seed", range(12))
def test_pages_hold_each_passage_once_in_true_order(limit: int, seed: int) -> None:
    chance = random.Random(seed)
    doors, members = [DoorId(uuid.uuid4()) for _ in range(2)], [MemberId(uuid.uuid4()) for _ in range(3)]
    rows = [
        event(
            chance.choice([EventKind.GRANTED, EventKind.ENTERED, EventKind.NOT_ENTERED, EventKind.DENIED]),
            chance.randrange(200),
            member=chance.choice([*members, None]),
            door=chance.choice(doors),
        )
        for _ in range(60)
    ]
    rows.sort(key=key, reverse=True)
    found = paged(rows, limit)
    assert sorted(key(row) for group in found for row in group) == sorted(map(key, rows))
    assert [key(group[0]) for group in found] == sorted((key(group[0]) for group in found), reverse=True)
    assert {tuple(map(key, group)) for group in found} == {tuple(map(key, group)) for group in passages(rows)}


def test_place_comes_back_as_it_was_and_others_are_refused() -> None:
    now_ns = 1000 * DAY_NS
    place = Place(cursor=Cursor(time_ns=7, row_id=uuid.UUID(int=9)), asked_ns=now_ns)
    assert place_of(place.pack(), now_ns) == place and place_of(None, now_ns) is None
    assert place_of(place.pack(), now_ns + PLACE_FOR_NS) == place
    here = place.cursor.pack()
    for wrong in ("", "AAAA", here, f"{here}.x", f"{here}.{now_ns + 1}", f"{here}.0", f".{now_ns}", "²."):
        with pytest.raises(Problem):
            place_of(wrong, now_ns)
    with pytest.raises(Problem):
        place_of(place.pack(), now_ns + PLACE_FOR_NS + 1)

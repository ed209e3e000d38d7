"""Grants and entries as one passage."""

from __future__ import annotations

import uuid

from api.search.find import passages
from domain.access import AccessEvent, EventKind
from domain.ids import DoorId, EventId, MemberId, SiteId
from domain.time import NS
from storage.access import EventRow


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

"""Traffic at the doors: in order, from a seed, sensible."""

from __future__ import annotations

import itertools
from collections import Counter

from demo.members import members
from demo.settings import DemoDoor
from demo.traffic import Traffic
from domain.access import EventKind

DOORS = tuple(DemoDoor(external_id=f"door-{n}", site="north", name=f"Door {n}") for n in range(3))


def test_traffic_is_in_order_seeded_and_makes_sense() -> None:
    credentials = [one.credential for one in members()]
    plan = Traffic(DOORS, credentials[10:], credentials[:10], interval_s=3, seed=4)
    again = Traffic(DOORS, credentials[10:], credentials[:10], interval_s=3, seed=4)
    happenings = [plan.next() for _ in range(5000)]
    assert happenings == [again.next() for _ in range(5000)]
    assert all(early.at_s <= late.at_s for early, late in itertools.pairwise(happenings))
    kinds = Counter(happening.kind for happening in happenings)
    assert set(kinds) == set(EventKind) - {EventKind.FORCED_OPEN}
    assert kinds[EventKind.GRANTED] - kinds[EventKind.DENIED] > 100
    assert any(happening.people == 2 for happening in happenings)
    granted: dict[str, float] = {}
    inside: set[str] = set()
    for happening in happenings:
        if happening.kind is EventKind.DENIED:
            assert happening.credential in credentials[:10]
        elif happening.kind is EventKind.GRANTED:
            assert happening.credential not in inside
            granted[happening.credential] = happening.at_s
        elif happening.kind is EventKind.ENTERED:
            assert 1 <= happening.at_s - granted[happening.credential] <= 2
            inside.add(happening.credential)
        elif happening.kind is EventKind.EXIT:
            inside.remove(happening.credential)


def test_traffic_pauses_when_everybody_is_inside() -> None:
    plan = Traffic(DOORS, ["04A1"], interval_s=1, seed=1)
    kinds = [plan.next().kind for _ in range(50)]
    assert kinds.count(EventKind.EXIT) > 3

"""Plans arrivals and the doors' events: pure and seeded, without a clock."""

from __future__ import annotations

import heapq
import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from demo.settings import DemoDoor
from domain.access import Direction, EventKind

_DENIED: Final = 0.06
_NOT_ENTERED: Final = 0.04
_HELD_OPEN: Final = 0.03
HELD_S: Final = 8.0
"""How long a door has been open when its controller reports it."""
_TAILGATE: Final = 0.06
_STAY_INTERVALS: Final = (8.0, 40.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Happening:
    """One event to be.

    people: who really passes; more than one is a tailgate that no event tells of. At a door that is held open it is
    the one who slips in.
    held: the door stays open until it is reported as held open
    """

    at_s: float  # since the plan's beginning
    door: DemoDoor
    kind: EventKind
    direction: Direction
    credential: str
    people: int = 0
    held: bool = False


class Traffic:
    """``next`` gives the happenings in order of time, for ever. The same seed gives the same plan.

    credentials: of members in force; a member who is inside does not enter
    refused: of members whose time is over; denied at the door (without any, a member in force is)
    """

    def __init__(
        self,
        doors: Sequence[DemoDoor],
        credentials: Sequence[str],
        refused: Sequence[str] = (),
        *,
        interval_s: float,
        seed: int,
    ) -> None:
        self._chance = random.Random(seed)
        self._doors = doors
        self._outside = list(credentials)
        self._refused = list(refused)
        self._interval_s = interval_s
        self._arrival_s = min(1.0, interval_s)
        self._planned: list[tuple[float, int, Happening]] = []
        self._count = 0

    def next(self) -> Happening:
        """The next one; plans further arrivals as needed."""
        while not self._planned or self._planned[0][0] >= self._arrival_s:
            self._arrive()
            self._arrival_s += self._interval_s * self._chance.uniform(0.5, 1.5)
        happening = heapq.heappop(self._planned)[2]
        if happening.kind in (EventKind.EXIT, EventKind.NOT_ENTERED):
            self._outside.append(happening.credential)
        return happening

    def _arrive(self) -> None:
        at_s, door, chance = self._arrival_s, self._chance.choice(self._doors), self._chance.random()
        if chance < _DENIED:
            credential = self._chance.choice(self._refused or self._outside or [""])
            if credential:
                self._plan(at_s, door, EventKind.DENIED, credential)
            return
        if not self._outside:
            return
        credential = self._outside.pop(self._chance.randrange(len(self._outside)))
        self._plan(at_s, door, EventKind.GRANTED, credential)
        if chance < _DENIED + _NOT_ENTERED:
            self._plan(at_s + 5.0, door, EventKind.NOT_ENTERED, credential)
            return
        entered_s = at_s + self._chance.uniform(1.0, 2.0)
        people = 2 if self._chance.random() < _TAILGATE else 1
        held = self._chance.random() < _HELD_OPEN
        self._plan(entered_s, door, EventKind.ENTERED, credential, people=people, held=held)
        if held:
            self._plan(entered_s + HELD_S, door, EventKind.HELD_OPEN, credential, people=1)
        leaves_s = entered_s + 10.0 + self._interval_s * self._chance.uniform(*_STAY_INTERVALS)
        same_site = [other for other in self._doors if other.site == door.site]
        way_out = self._chance.choice(same_site)
        self._plan(leaves_s, way_out, EventKind.EXIT, credential, Direction.OUT, people=1)

    def _plan(
        self,
        at_s: float,
        door: DemoDoor,
        kind: EventKind,
        credential: str,
        direction: Direction = Direction.IN,
        people: int = 0,
        held: bool = False,
    ) -> None:
        said: dict[str, Any] = {"door": door, "kind": kind, "direction": direction, "credential": credential}
        made = Happening(at_s=at_s, people=people, held=held, **said)
        self._count += 1
        heapq.heappush(self._planned, (at_s, self._count, made))

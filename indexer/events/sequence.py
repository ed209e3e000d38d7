"""Which messages of a door never arrived: controllers may number what they publish. Pure.

A number that is missing may still come: a broker that sends again does so out of order. It counts after GRACE_NS.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from domain.time import DAY_NS, MINUTE_NS

GRACE_NS: Final = MINUTE_NS
SHOWN_NS: Final = 7 * DAY_NS
RANGES_MAX: Final = 100
"""Per door. Beyond it the numbers missed longest are dropped; that something is lost remains visible."""
_DOORS_MAX: Final = 10_000

Missing = tuple[int, int, int]
"""[first, past) and since when."""


@dataclass(frozen=True, slots=True)
class DoorCount:
    last: int
    missing: tuple[Missing, ...] = ()

    def after(self, seq: int, received_ns: int, *, is_new: bool, is_first: bool = False) -> DoorCount:
        """Having seen ``seq``. is_new: not a redelivery; is_first: nor anything sent once more, for certain.

        A new message of number 0 or 1 shows that the counter began anew; so does one for certain, whose number is far
        lower and is not one that was missed: what is before it since then has not come.
        """
        if seq == self.last + 1:
            return DoorCount(seq, self.missing)
        if seq > self.last:
            added = (*self.missing, (self.last + 1, seq, received_ns))
            return DoorCount(seq, added[-RANGES_MAX:])
        if any(first <= seq < past for first, past, _ in self.missing):
            return DoorCount(self.last, tuple(piece for one in self.missing for piece in _without(one, seq)))
        if not (is_new and seq <= 1) and not (is_first and seq * 2 <= self.last):
            return self
        before = ((1, seq, received_ns),) if seq > 1 else ()
        return DoorCount(seq, (*self.missing, *before)[-RANGES_MAX:])


def _without(missing: Missing, seq: int) -> list[Missing]:
    first, past, since_ns = missing
    if not first <= seq < past:
        return [missing]
    return [piece for piece in ((first, seq, since_ns), (seq + 1, past, since_ns)) if piece[0] < piece[1]]


@dataclass(slots=True)
class SequenceTracker:
    """Doors by any hashable name. A batch's counts are kept once its transaction is committed."""

    _counts: dict[object, DoorCount] = field(default_factory=dict)

    def keep(self, counts: dict[object, DoorCount]) -> None:
        """What a batch, or an earlier run, has counted."""
        for door, count in counts.items():
            if door in self._counts or len(self._counts) < _DOORS_MAX:
                self._counts[door] = count

    def count(self, door: object) -> DoorCount | None:
        """Return a door's count, or None when its messages carry no numbers."""
        return self._counts.get(door)

    def overdue(self, now_ns: int) -> tuple[int, int]:
        """How many messages are missing, of how many doors: longer than GRACE_NS, and not longer than SHOWN_NS."""
        found = [
            sum(past - first for first, past, since_ns in count.missing if GRACE_NS <= now_ns - since_ns < SHOWN_NS)
            for count in self._counts.values()
        ]
        return sum(found), sum(number > 0 for number in found)

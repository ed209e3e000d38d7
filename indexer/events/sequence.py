"""Which messages of a door never arrived: controllers may number what they publish. Pure.

A number that is missing may still come: a broker that sends again does so out of order. It counts after GRACE_NS. So
may one below the first that was seen, which is not to be taken for a counter that begins anew: the first one is kept.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Final

from domain.time import DAY_NS, MINUTE_NS

GRACE_NS: Final = MINUTE_NS
SHOWN_NS: Final = 7 * DAY_NS
RANGES_MAX: Final = 100
"""Per door. Beyond it the numbers missed longest are dropped; that something is lost remains visible."""
EARLIER_NS: Final = 10 * MINUTE_NS
EARLIER_MAX: Final = 1000
"""A number below the first one is late, and not the counter begun anew, for so long after the first one came and by so
many numbers: a broker has no more messages in flight."""
_DOORS_MAX: Final = 10_000

Missing = tuple[int, int, int]
"""[first, past) and since when."""


@dataclass(frozen=True, slots=True)
class DoorCount:
    """One run of a controller's counter: each number of [first, last] has come or is missing, or was dropped."""

    first: int
    first_ns: int  # when the first of them came
    last: int
    missing: tuple[Missing, ...] = ()

    @classmethod
    def begun(cls, seq: int, received_ns: int) -> DoorCount:
        """With the first number that was ever seen: nothing is known of those before it."""
        return cls(seq, received_ns, seq)

    def after(self, seq: int, received_ns: int, *, is_new: bool, is_first: bool = False) -> DoorCount:
        """Having seen ``seq``. is_new: not a redelivery; is_first: nor anything sent once more, for certain.

        A new message of number 0 or 1 shows that the counter began anew; so does one for certain, whose number is far
        lower and is not one that was missed: what is before it since then has not come. Neither does so while it may be
        late, from before the first number that was seen.
        """
        if seq == self.last + 1:
            return replace(self, last=seq)
        if seq > self.last:
            return self._missed((self.last + 1, seq, received_ns), last=seq)
        if any(first <= seq < past for first, past, _ in self.missing):
            return replace(self, missing=tuple(piece for one in self.missing for piece in _without(one, seq)))
        if 0 < self.first - seq <= EARLIER_MAX and received_ns - self.first_ns < EARLIER_NS:
            earlier = replace(self, first=seq)
            return earlier if seq + 1 == self.first else earlier._missed((seq + 1, self.first, received_ns))
        if not (is_new and seq <= 1) and not (is_first and seq * 2 <= self.last):
            return self
        anew = DoorCount(min(seq, 1), received_ns, seq, self.missing)
        return anew._missed((1, seq, received_ns)) if seq > 1 else anew

    def _missed(self, more: Missing, *, last: int | None = None) -> DoorCount:
        return replace(self, last=self.last if last is None else last, missing=(*self.missing, more)[-RANGES_MAX:])


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

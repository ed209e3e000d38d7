"""Restores the order of packets that arrive as datagrams, and removes duplicates (RFC 3550, A.1).

A missing packet is awaited for HELD_MAX later ones or HELD_NS, whichever comes first. Then it is lost, and the receiver
sees that by the packets' numbers.
"""

from __future__ import annotations

from typing import Final

from ingest.rtp.counts import Counts
from ingest.rtp.numbers import DROPOUT, LATE, NUMBERS

HELD_MAX: Final = 64
HELD_NS: Final = 150_000_000
_NONE: Final = -1


class Reorder:
    """The packets of one source. Call ``push()`` for a packet that is not the next one, or while some are held.

    next: the next number; a caller that passes this packet on directly adds 1. -1 before the first packet
    """

    __slots__ = ("_counts", "_held", "_jumped", "next")

    def __init__(self, counts: Counts) -> None:
        self._counts = counts
        self._held: dict[int, tuple[bytes, int]] = {}  # and the arrival of each, the longest held first
        self._jumped: tuple[int, bytes] | None = None
        self.next = _NONE

    @property
    def holds(self) -> bool:
        """Whether packets wait for a missing one."""
        return bool(self._held)

    def begin(self, number: int) -> None:
        """Begin a source, whose next number this is."""
        self._held.clear()
        self._jumped = None
        self.next = number & NUMBERS - 1

    def push(self, number: int, packet: bytes, mono_ns: int) -> list[bytes]:
        """Take a packet; return those that are due, in order."""
        ahead = number - self.next & NUMBERS - 1
        if ahead >= NUMBERS - LATE or number in self._held:
            self._counts.late += 1
            return []
        if ahead > DROPOUT:
            return self._far(number, packet)
        self._jumped = None
        self._held[number] = packet, mono_ns
        due = self._in_a_row()
        while len(self._held) > HELD_MAX:
            due += self._skip()
        return due

    def overdue(self, mono_ns: int) -> list[bytes]:
        """Return the packets that have waited long enough, in order."""
        due: list[bytes] = []
        while self._held and mono_ns - next(iter(self._held.values()))[1] >= HELD_NS:
            due += self._skip()
        return due

    def _in_a_row(self) -> list[bytes]:
        due = []
        while (held := self._held.pop(self.next, None)) is not None:
            due.append(held[0])
            self.next = self.next + 1 & NUMBERS - 1
        return due

    def _skip(self) -> list[bytes]:
        """Give up the missing packet before the first held one."""
        self.next = min(self._held, key=lambda number: number - self.next & NUMBERS - 1)
        return self._in_a_row()

    def _far(self, number: int, packet: bytes) -> list[bytes]:
        """Handle a restart of the numbers; a single such packet is a stray one."""
        before, self._jumped = self._jumped, (number, packet)
        if before is None or number != before[0] + 1 & NUMBERS - 1:
            self._counts.foreign += before is not None
            return []
        due = []
        while self._held:
            due += self._skip()
        self.begin(number + 1)
        return [*due, before[1], packet]

"""What missing sequence numbers mean: lost packets, a numbering that begins anew, or a counter shared with sound."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

NUMBERS: Final = 1 << 16
DROPOUT: Final = 3000  # more numbers are not missing: they begin anew (RFC 3550, A.1, MAX_DROPOUT)
LATE: Final = 256  # packets that come this much too late are repeated ones; more is a new numbering
_PROOF: Final = 8  # holes with nothing missing behind them, one after another
_SMALL: Final = 4  # numbers in a hole; where a camera leaves packets out, more are missing
_FITTING: Final = 128  # small holes at which nothing shows that something is missing, one after another
_CAUTION: Final = 8  # as many in a row as this times the longest row that ended


@dataclass(frozen=True, slots=True)
class Hole:
    """Numbers that are missing between two pictures. What that means the later picture shows.

    packets: how many; 0 where the numbering began anew, which tells nothing
    """

    packets: int


def hole(expected: int, found: int) -> Hole:
    """Of two different numbers."""
    missing = found - expected & NUMBERS - 1
    return Hole(missing if missing <= DROPOUT else 0)


class Numbering:
    """Whether the numbers are the track's own.

    Over TCP no packet is lost on the way: the camera leaves some out because its buffers are full, or counts the
    packets of several streams with one counter. Nothing is missing then between two pictures that follow each other.
    Over UDP every missing number is a lost packet.
    """

    __slots__ = ("_fitting", "_harmless", "_largest", "_longest", "_reliable")

    def __init__(self, *, reliable: bool) -> None:
        self._reliable = reliable
        self._harmless = 0  # holes in a row
        self._largest = 0  # numbers in one of them
        self._fitting = self._longest = 0  # holes in a row, in the longest row that ended; at most _FITTING

    @property
    def reliable(self) -> bool:
        """The transport loses nothing."""
        return self._reliable

    @property
    def shared(self) -> bool:
        """The numbers are not the track's alone."""
        return self._reliable and (self._harmless >= _PROOF or self._fits)

    def harmless(self, hole: Hole) -> None:
        """Nothing was missing there."""
        self._harmless += 1
        self._largest = max(self._largest, hole.packets)
        self._fitting += hole.packets <= _SMALL

    def harmful(self) -> None:
        """Something was missing: what was thought of the numbers is to be shown anew."""
        self._harmless = self._largest = 0

    def within(self, hole: Hole, *, fits: bool) -> None:
        """A hole within a picture. fits: the NAL unit before it goes on behind it, or ended before and another begins.

        A lost packet is the first or last of its NAL unit sooner or later, and shows.
        """
        if fits and 0 < hole.packets <= _SMALL:
            self._fitting += 1
        else:
            self._longest, self._fitting = min(_FITTING, max(self._longest, self._fitting)), 0

    def passes(self, hole: Hole) -> bool:
        """A hole within a picture, where nothing can be checked: whether it is like those that were harmless."""
        most = max(self._largest, _SMALL) if self._fits else self._largest
        return self.shared and 0 < hole.packets <= most

    @property
    def _fits(self) -> bool:
        return self._fitting >= max(_FITTING, _CAUTION * self._longest)

"""Interprets missing sequence numbers: lost packets, a numbering that restarts, or a counter shared with sound."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

NUMBERS: Final = 1 << 16
DROPOUT: Final = 3000  # a larger step is a restart of the numbering, not a loss (RFC 3550, A.1, MAX_DROPOUT)
LATE: Final = 256  # a packet this much too late is a duplicate; later still, it belongs to a new numbering
_PROOF: Final = 8  # consecutive holes at which nothing was missing
_SMALL: Final = 4  # numbers in a hole; a camera that drops packets leaves larger ones
_FITTING: Final = 128  # consecutive small holes without a sign of a loss
_CAUTION: Final = 8  # the required run, as a multiple of the longest run that ended


@dataclass(frozen=True, slots=True)
class Hole:
    """Numbers missing between two pictures; the later picture shows what that means.

    packets: how many; 0: the numbering restarted, which proves nothing
    """

    packets: int


def hole(expected: int, found: int) -> Hole:
    """Return the hole between two different numbers."""
    # Modulo 2^16: numbers wrap within a minute (RFC 3550, 5.1).
    missing = found - expected & NUMBERS - 1
    return Hole(missing if missing <= DROPOUT else 0)


class Numbering:
    """Finds out whether the numbers are the track's own.

    TCP loses no packets: the camera drops some because its buffers are full, or counts the packets of several streams
    with one counter. In the latter case consecutive pictures prove that nothing is missing between them.
    Over UDP every missing number is a lost packet.
    """

    __slots__ = ("_fitting", "_harmless", "_largest", "_longest", "_reliable")

    def __init__(self, *, reliable: bool) -> None:
        self._reliable = reliable
        self._harmless = 0  # consecutive holes
        self._largest = 0  # numbers in the largest of them
        self._fitting = self._longest = 0  # the present run, and the longest that ended, at most _FITTING

    @property
    def reliable(self) -> bool:
        """Whether the transport loses nothing."""
        return self._reliable

    @property
    def shared(self) -> bool:
        """Whether other streams share the numbers."""
        return self._reliable and (self._harmless >= _PROOF or self._fits)

    def harmless(self, hole: Hole) -> None:
        """Note a hole at which nothing was missing."""
        self._harmless += 1
        self._largest = max(self._largest, hole.packets)
        self._fitting += hole.packets <= _SMALL

    def harmful(self) -> None:
        """Note a loss: sharing has to be proved anew."""
        self._harmless = self._largest = 0

    def within(self, hole: Hole, *, fits: bool) -> None:
        """Note a hole within a picture. fits: the NAL unit continues after it, or had ended and another one begins.

        Sooner or later a lost packet is the first or last of its NAL unit, and then does not fit.
        """
        if fits and 0 < hole.packets <= _SMALL:
            self._fitting += 1
        else:
            self._longest, self._fitting = min(_FITTING, max(self._longest, self._fitting)), 0

    def passes(self, hole: Hole) -> bool:
        """Whether a hole within a picture, where nothing can be checked, resembles those that were harmless."""
        most = max(self._largest, _SMALL) if self._fits else self._largest
        return self.shared and 0 < hole.packets <= most

    @property
    def _fits(self) -> bool:
        return self._fitting >= max(_FITTING, _CAUTION * self._longest)

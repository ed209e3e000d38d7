"""The header of an RTP packet (RFC 3550, 5.1): where the payload lies, and whose packet it is."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import ClassVar, Final, Protocol

from ingest.rtp.assembly import Assembly
from ingest.rtp.counts import Counts
from ingest.rtp.numbers import NUMBERS

HEADER_BYTES: Final = 12
SOURCE: Final = 0xFFFFFFFF  # of ``stamp``, the RTP time and the SSRC in one number
_VERSION: Final = 2
_PADDED, _EXTENDED, _SOURCES = 0x20, 0x10, 0x0F
_NOTHING: Final = (-1, -1)
Slices = Mapping[int, tuple[bytes, int]]
"""The fragment headers that begin a slice: the header of its NAL unit, and its role."""


class Padding(Enum):
    """Whether the padding bit can be trusted. Some devices set it on every packet and pad none."""

    UNKNOWN = "unknown"
    REAL = "real"
    ABSENT = "absent"


class PayloadBounds:
    """Call ``of()`` for each packet of one source. Remembers whether its padding bit can be trusted."""

    __slots__ = ("padding",)

    def __init__(self) -> None:
        self.padding = Padding.UNKNOWN

    def of(self, view: memoryview, start: int, stop: int) -> tuple[int, int]:
        """Return start and end of the payload of the packet view[start:stop]; (-1, -1): it is not an RTP packet.

        The payload, which may be empty, lies after contributing sources and header extension and before the padding.
        """
        if stop - start < HEADER_BYTES or view[start] >> 6 != _VERSION:
            return _NOTHING
        flags = view[start]
        at = start + HEADER_BYTES + 4 * (flags & _SOURCES)
        if flags & _EXTENDED:
            # The extension's length counts 32-bit words after its own four bytes (RFC 3550, 5.3.1).
            at += 4 + 4 * int.from_bytes(view[at + 2 : at + 4], "big") if at + 4 <= stop else stop
        if at > stop:
            return _NOTHING
        if flags & _PADDED and at < stop and self.padding is not Padding.ABSENT:
            stop -= self._padding_bytes(view, at, stop)
        return at, stop

    def _padding_bytes(self, view: memoryview, at: int, stop: int) -> int:
        """Return the padding's size. Its last byte counts it, itself included (RFC 3550, 5.1).

        An impossible count proves that the bit is meaningless. Senders fill padding with zeros; one byte of padding
        proves nothing, since other data may end in 1 as well.
        """
        count = view[stop - 1]
        possible = 0 < count <= stop - at
        if self.padding is Padding.REAL:
            return count if possible else 0
        if not possible or any(view[stop - count : stop - 1]):
            self.padding = Padding.ABSENT
            return 0
        if count > 1:
            self.padding = Padding.REAL
        return count


@dataclass(frozen=True, slots=True)
class Held:
    """A packet of another source, held back. A second one that follows it proves that it is not a stray packet."""

    frame: bytes
    start: int
    kind: int
    sequence: int
    stamp: int
    expected: int  # next number of the present source, which has sent nothing since

    def followed_by(self, other: Held) -> bool:
        """Whether ``other`` has the same SSRC and the next number, with nothing of the old source between the two."""
        return (
            not (self.stamp ^ other.stamp) & SOURCE
            and other.sequence == self.sequence + 1 & NUMBERS - 1
            and self.expected == other.expected
        )


class Payload(Protocol):
    """The packetization of a codec."""

    def take(self, view: memoryview, start: int, stop: int) -> int:
        """Take a payload, not empty; return the headers of the fragment that would continue it, or -1.

        StreamError: a packetization mode that is not supported.
        """
        ...

    def goes_on(self, view: memoryview, start: int, stop: int) -> bool:
        """Whether the payload is a fragment, and not the first of its NAL unit."""
        ...

    def continues(self, view: memoryview, start: int, stop: int) -> bool:
        """Whether a slice begins here that is not the first of its picture."""
        ...


class NalPayload(ABC):
    """The common part of both codecs: NAL units in packets of their own, or several in one."""

    __slots__ = ("_assembly", "_counts")
    least_bytes: ClassVar[int]  # of a NAL unit; shorter ones are ignored

    def __init__(self, assembly: Assembly, counts: Counts) -> None:
        self._assembly = assembly
        self._counts = counts

    @property
    def malformed(self) -> int:
        """See Counts."""
        return self._counts.malformed

    @abstractmethod
    def _single(self, nal: bytes) -> None:
        """Take a NAL unit in one piece."""

    def _aggregate(self, view: memoryview, at: int, stop: int) -> None:
        """Take several NAL units, each after its size in 2 bytes (RFC 6184, 5.7.1; RFC 7798, 4.4.2)."""
        while stop - at > 2:
            size = view[at] << 8 | view[at + 1]
            at += 2
            if size > stop - at:
                # The sizes before this one fitted, so the NAL units before it stay.
                self._counts.malformed += 1
                return
            if size >= self.least_bytes:
                self._counts.work += 1
                self._single(view[at : at + size].tobytes())
            at += size

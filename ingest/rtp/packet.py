"""The header of an RTP packet (RFC 3550, 5.1): where the payload lies."""

from __future__ import annotations

from enum import Enum
from typing import Final, Protocol

HEADER_BYTES: Final = 12
_VERSION: Final = 2
_PADDED, _EXTENDED, _SOURCES = 0x20, 0x10, 0x0F
_NOTHING: Final = (-1, -1)


class Padding(Enum):
    """Whether the padding bit says the truth. Some devices set it on every packet and pad none."""

    UNKNOWN = "unknown"
    REAL = "real"
    ABSENT = "absent"


class PayloadBounds:
    """``of()`` each packet of one source. Remembers what the packets have shown of its padding bit."""

    __slots__ = ("padding",)

    def __init__(self) -> None:
        self.padding = Padding.UNKNOWN

    def of(self, view: memoryview, start: int, stop: int) -> tuple[int, int]:
        """Of the payload of the packet view[start:stop], which may be empty; (-1, -1) for what is no packet.

        It lies behind the contributing sources and the header extension, before the padding.
        """
        if stop - start < HEADER_BYTES or view[start] >> 6 != _VERSION:
            return _NOTHING
        flags = view[start]
        at = start + HEADER_BYTES + 4 * (flags & _SOURCES)
        if flags & _EXTENDED:
            at += 4 + 4 * int.from_bytes(view[at + 2 : at + 4], "big") if at + 4 <= stop else stop
        if at > stop:
            return _NOTHING
        if flags & _PADDED and at < stop and self.padding is not Padding.ABSENT:
            stop -= self._padding_bytes(view, at, stop)
        return at, stop

    def _padding_bytes(self, view: memoryview, at: int, stop: int) -> int:
        """The last byte counts the padding, itself included. A count that cannot be is no count, and never was one.

        Senders fill padding with zeros. One byte of padding proves nothing: other data may end in 1, too.
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


class Payload(Protocol):
    """How a codec is put into packets.

    shift, skip: the fragment's headers are the first (32 - shift) bits of the payload; skip bytes from the frame's
        start its data begins
    """

    shift: int
    skip: int

    def take(self, view: memoryview, start: int, stop: int) -> int:
        """One packet's payload, not empty; gives the fragment headers that would continue it, or -1.

        StreamError for ways of sending that are not spoken here.
        """
        ...

    def goes_on(self, view: memoryview, start: int, stop: int) -> bool:
        """A fragment that is not the first of its NAL unit."""
        ...

    def continues(self, view: memoryview, start: int, stop: int) -> bool:
        """A slice that is not the first of its picture begins here."""
        ...

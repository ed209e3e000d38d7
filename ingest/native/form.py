"""What both versions of the scan are given and return."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Protocol

DOLLAR: Final = 0x24
HEAD_BYTES: Final = 4  # of a frame: $, channel, length in 2 bytes (RFC 2326, 10.12)
MARKER: Final = 0x0080  # in the first two bytes of an RTP packet (RFC 3550, 5.1)
NUMBERS: Final = 1 << 16
SOURCE: Final = 0xFFFFFFFF  # of a stamp, the RTP time and the SSRC in one number
FIRST, LAST = (
    0x80,
    0x40,
)  # bits of the FU header: first and last fragment of a NAL unit (RFC 6184, 5.8; RFC 7798, 4.4.3)
ROWS_MAX: Final = 32  # of a call
FINISHED, BY_TIME, MAY_BEGIN = 1, 2, 4

Row = tuple[int, int, list[memoryview], int, bool]
"""What one picture got: the fragment headers that begin it, or -1; its stamp; its data; how many packets these were;
whether the marker ended it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    """How a codec fragments NAL units.

    skip: bytes from a frame's begin to a fragment's data
    shift: the fragment headers are the first (32 - shift) bits of the payload
    slices: the fragment headers that begin a slice
    mask, pattern, kinds: the same as a rule: what ``mask`` leaves is ``pattern``, and ``kinds`` the type of a slice
    """

    skip: int
    shift: int
    slices: frozenset[int]
    mask: int
    pattern: int
    kinds: int


class Scan(Protocol):
    """Scans for the usual packets of one track."""

    def __call__(
        self, view: memoryview, at: int, end: int, stamp: int, expected: int, middle: int, flags: int
    ) -> tuple[Sequence[Row], int]:
        """Take frames of ``view[at:end]``; return at most ROWS_MAX rows, and where the first frame not taken begins.

        A frame is taken when another one follows it and its packet has a plain header, the number that is due, and

        - the picture's stamp, and continues the NAL unit under way: without the marker, or as its last fragment, with
          the marker, which ends the picture, unless BY_TIME is set;
        - a later stamp of the same source, and begins a slice, when a picture has ended (FINISHED) and none of its
          packets needs a look first (MAY_BEGIN).

        stamp: of the picture under way; expected: the number that is due, larger than 16 bits: none
        middle: the fragment headers that continue the NAL unit under way, -1: there is none
        The rows' data are views. A call may move data within what it takes. SLACK bytes behind ``end`` are readable.
        """
        ...

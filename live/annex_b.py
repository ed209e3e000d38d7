"""NAL units behind start codes (H.264 and H.265, Annex B), and behind their lengths. Pure."""

from __future__ import annotations

import re
from typing import Final

_START: Final = b"\x00\x00\x00\x01"
_STARTS: Final = re.compile(rb"\x00\x00\x00?\x01")


def annex_b(data: bytes, sets: tuple[bytes, ...] = ()) -> bytes:
    """NAL units behind start codes, from NAL units behind their lengths.

    An empty one, and one with a start code inside, which damage alone can bring about, are left out: aiortc would find
    empty ones there, and send nothing any more.
    """
    units, at = list(sets), 0
    while at + 4 <= len(data):
        size = int.from_bytes(data[at : at + 4], "big")
        units.append(data[at + 4 : at + 4 + size])
        at += 4 + size
    return b"".join(piece for each in units if each and _START[1:] not in each for piece in (_START, each))


def nal_units(data: bytes) -> list[bytes]:
    """NAL units behind start codes, without them and without zeros that follow."""
    return [unit for part in _STARTS.split(data) if (unit := part.rstrip(b"\x00"))]

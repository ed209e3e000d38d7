"""The marker in every picture: an SEI message that decoders hand on and that a search of raw bytes finds.

The payload of the SEI user_data_unregistered message (H.264 D.1.7) is MARKER as its UUID, then 17 ASCII digits:
13 of UTC Unix milliseconds, 4 of the camera's number. Digits, since they need no emulation prevention and keep their
length: a replay writes the new time over the old one in place.
"""

from __future__ import annotations

from typing import Final
from uuid import UUID

MARKER: Final = UUID("7a11e22e-d3a5-4c9d-9e5b-c1ea2fb47a5e").bytes
"""Never in anything but a demo picture: found in a file, it proves clear footage there."""

STAMP_BYTES: Final = 17
_SEI: Final = 6
_USER_DATA_UNREGISTERED: Final = 5


def stamp(time_ms: int, camera: int) -> bytes:
    """The 17 digits."""
    return b"%013d%04d" % (time_ms, camera)


def sei_nal(time_ms: int, camera: int) -> bytes:
    """The whole NAL unit, without a start code."""
    return bytes((_SEI, _USER_DATA_UNREGISTERED, 16 + STAMP_BYTES)) + MARKER + stamp(time_ms, camera) + b"\x80"


def read_stamp(data: bytes | bytearray | memoryview) -> tuple[int, int] | None:
    """(time_ms, camera) of the first marker anywhere in ``data``; None without a whole one."""
    held = bytes(data)
    at = held.find(MARKER)
    digits = held[at + 16 : at + 16 + STAMP_BYTES]
    if at < 0 or len(digits) < STAMP_BYTES or not digits.isdigit():
        return None
    return int(digits[:13]), int(digits[13:])

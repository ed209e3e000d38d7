"""RTCP sender reports (RFC 3550, 6.4.1): what the camera's own clock says."""

from __future__ import annotations

from typing import Final

_SENDER_REPORT: Final = 200
_NTP_TO_UNIX_S: Final = 2_208_988_800


def sender_clock(view: memoryview, start: int) -> int:
    """The RTP time that belongs to ``sender_time_ns``."""
    return int.from_bytes(view[start + 16 : start + 20], "big")


def sender_time_ns(view: memoryview, start: int, stop: int) -> int | None:
    """UTC by the camera's clock, when a compound packet begins with a sender report; None without one."""
    if stop - start < 28 or view[start] >> 6 != 2 or view[start + 1] != _SENDER_REPORT:
        return None
    seconds = int.from_bytes(view[start + 8 : start + 12], "big")
    if not seconds:
        return None  # cameras without a clock
    if seconds < _NTP_TO_UNIX_S:
        seconds += 1 << 32  # the next era, from 2036 on
    fraction = int.from_bytes(view[start + 12 : start + 16], "big")
    return (seconds - _NTP_TO_UNIX_S) * 1_000_000_000 + (fraction * 1_000_000_000 >> 32)

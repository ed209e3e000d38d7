"""Chooses the pause between reads: long enough for large batches, short enough that the socket never fills."""

from __future__ import annotations

from typing import Final

LONGEST_S: Final = 0.25
_SHORTEST_S: Final = 0.02
_FADE: Final = 0.9


class Pace:
    """Call ``after()`` each read; it returns the pause before the next.

    At the highest recent rate the pause fills at most half of what the socket can hold. About half of the receive
    buffer that getsockopt reports (tcp(7)) is the kernel's own bookkeeping.
    """

    __slots__ = ("_half", "_rate", "_room")

    def __init__(self, receive_buffer_bytes: int) -> None:
        self._half = receive_buffer_bytes // 4
        self._rate = 0.0  # bytes per second, the recent peak

    def after(self, size_bytes: int, elapsed_ns: int) -> float:
        """Return the pause in seconds. ``elapsed_ns``: since the read before."""
        rate = size_bytes * 1_000_000_000 / max(1_000_000, elapsed_ns)
        self._rate = max(rate, self._rate * _FADE + rate * (1 - _FADE))
        if size_bytes >= self._half:
            return _SHORTEST_S  # the read may have found the buffer full
        return max(_SHORTEST_S, min(LONGEST_S, self._half / max(1.0, self._rate)))

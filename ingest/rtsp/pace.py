"""How long a connection may be left unread: long enough for large gulps, short enough that nothing has to wait."""

from __future__ import annotations

from typing import Final

LONGEST_S: Final = 0.25
_SHORTEST_S: Final = 0.02
_FADE: Final = 0.9


class Pace:
    """``after()`` each read gives the pause before the next.

    At the highest rate of late, the pause fills at most half of what the socket can hold. Of the receive buffer as
    getsockopt reports it (tcp(7)), about half is bookkeeping of the kernel's.
    """

    __slots__ = ("_half", "_rate", "_room")

    def __init__(self, receive_buffer_bytes: int) -> None:
        self._half = receive_buffer_bytes // 4
        self._rate = 0.0  # bytes per second, the recent peak

    def after(self, size_bytes: int, elapsed_ns: int) -> float:
        """Seconds. ``elapsed_ns``: since the read before."""
        rate = size_bytes * 1_000_000_000 / max(1_000_000, elapsed_ns)
        self._rate = max(rate, self._rate * _FADE + rate * (1 - _FADE))
        if size_bytes >= self._half:
            return _SHORTEST_S  # what came may have been all that fits
        return max(_SHORTEST_S, min(LONGEST_S, self._half / max(1.0, self._rate)))

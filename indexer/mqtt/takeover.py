"""Whether another client takes our session over: a broker keeps one connection for each client id. Pure.

MQTT 3.1.1 gives no reason when it closes a connection (section 3.1.4: the server disconnects the existing client). What
shows is that a broker which is up closes connections that worked, again and again: one that restarts refuses the next.
"""

from __future__ import annotations

from collections import deque
from typing import Final

SEEN_S: Final = 600.0
"""How far back closed connections count: paho's clients connect again within two minutes at the latest."""
CLOSED_MIN: Final = 3


class Takeovers:
    """Fed with what happens to connections; times are of a monotonic clock, in seconds."""

    def __init__(self) -> None:
        self._closed_s: deque[float] = deque(maxlen=1000)
        self._pending = False

    def closed(self) -> None:
        """The broker closed a connection that worked."""
        self._pending = True

    def failed(self) -> None:
        """A connection could not be made: the broker, or the way to it, was away."""
        self._pending = False

    def opened(self, now_s: float) -> None:
        """A connection works."""
        if self._pending:
            self._closed_s.append(now_s)
        self._pending = False

    def count(self, now_s: float) -> int:
        """How often within SEEN_S; 0 while that may be chance."""
        while self._closed_s and now_s - self._closed_s[0] >= SEEN_S:
            self._closed_s.popleft()
        return len(self._closed_s) if len(self._closed_s) >= CLOSED_MIN else 0

"""What a camera has shown over its connections, so that the next one begins with what worked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from ingest.rtp.counts import Counts
from ingest.rtsp.signalling.keep_alive import KeepAliveHabits

_REMEMBERED: Final = 32


@dataclass(slots=True)
class Habits:
    """Of one camera. Each connection's session reads and writes them.

    taken: of the methods SETUP and PLAY, the address that the camera has answered
    counts: of all its connections
    unanswered: addresses at which it has closed the connection, or said nothing
    udp: it does not send over TCP
    """

    keep_alive: KeepAliveHabits = field(default_factory=KeepAliveHabits)
    taken: dict[str, str] = field(default_factory=dict)
    counts: Counts = field(default_factory=Counts)
    unanswered: dict[str, None] = field(default_factory=dict)
    udp: bool = False

    def in_order(self, method: str, urls: Sequence[str]) -> list[str]:
        """The address that was answered before first, those that were not last."""
        taken = self.taken.get(method)
        return sorted(urls, key=lambda url: (url != taken, url in self.unanswered))

    def answers(self, method: str, url: str) -> None:
        """The camera has granted the method at this address."""
        self.taken[method] = url
        self.unanswered.pop(url, None)

    def ends_at(self, url: str) -> None:
        """The connection has ended with a request for this address unanswered."""
        self.unanswered[url] = None
        if len(self.unanswered) > _REMEMBERED:
            del self.unanswered[next(iter(self.unanswered))]

"""Remembers what worked with a camera, so that its next connection begins with that."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from ingest.rtp.counts import Counts
from ingest.rtsp.signalling.keep_alive import KeepAliveHabits

_REMEMBERED: Final = 32


@dataclass(slots=True)
class Habits:
    """The habits of one camera. The session of each connection reads and writes them.

    taken: the address that the camera accepted for SETUP and for PLAY
    counts: counters of all its connections
    unanswered: addresses at which it closed the connection or did not answer
    udp: whether it does not send over TCP
    """

    keep_alive: KeepAliveHabits = field(default_factory=KeepAliveHabits)
    taken: dict[str, str] = field(default_factory=dict)
    counts: Counts = field(default_factory=Counts)
    unanswered: dict[str, None] = field(default_factory=dict)
    udp: bool = False

    def in_order(self, method: str, urls: Sequence[str]) -> list[str]:
        """Sort addresses: the one accepted before first, unanswered ones last."""
        taken = self.taken.get(method)
        return sorted(urls, key=lambda url: (url != taken, url in self.unanswered))

    def answers(self, method: str, url: str) -> None:
        """Remember that the camera granted the method at this address."""
        self.taken[method] = url
        self.unanswered.pop(url, None)

    def ends_at(self, url: str) -> None:
        """Remember that the connection ended with a request for this address unanswered."""
        self.unanswered[url] = None
        if len(self.unanswered) > _REMEMBERED:
            del self.unanswered[next(iter(self.unanswered))]

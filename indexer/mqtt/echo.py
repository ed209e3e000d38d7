"""A message of our own on the way that door events take: a session that the broker no longer serves looks like silence.

A broker may forget a subscription's place and go on saying that the session is there (NATS does when its consumer is
deleted). The session publishes to a topic of its own and hears it again, or it is deaf. Pure.
"""

from __future__ import annotations

from typing import Final

EVERY_S: Final = 15.0
DEAF_AFTER_S: Final = 45.0


class Echo:
    """One connection's. Times are seconds of a monotonic clock."""

    def __init__(self) -> None:
        self._asked_s: float | None = None  # the first that has not been heard yet
        self.heard_s: float | None = None

    def asked(self, now_s: float) -> None:
        """One was published."""
        if self._asked_s is None:
            self._asked_s = now_s

    def heard(self, now_s: float) -> None:
        """One came back; those before it have been heard, or never will be."""
        self._asked_s, self.heard_s = None, now_s

    def excused(self) -> None:
        """Nothing is read just now: there is no room for more."""
        self._asked_s = None

    @property
    def awaited(self) -> bool:
        """Whether one has not come back yet: what ends the connection then may be the broker's own trouble."""
        return self._asked_s is not None

    def deaf(self, now_s: float) -> bool:
        """Whether one should have come back long ago."""
        return self._asked_s is not None and now_s - self._asked_s > DEAF_AFTER_S

"""What a broker lost on the way to us, as problems that people can read."""

from __future__ import annotations

from collections import deque
from typing import Final

from domain.time import to_iso
from indexer.errors import EventsLostError

TOLD_S: Final = 3600.0

DROPPED_TOPIC: Final = "$SYS/broker/publish/messages/dropped"
"""mosquitto's counter of messages discarded since its start, for all clients together."""


def sequence_gaps(messages: int, doors: int) -> EventsLostError | None:
    """Problem for messages whose numbers are missing; None for zero."""
    if not messages:
        return None
    return EventsLostError(
        f"{messages} messages of {doors} doors never arrived in the last 7 days: their numbers are missing.",
        "Give the broker room and a memory (mosquitto: max_queued_messages 0, persistence true); look into quarantine.",
    )


def broker_dropped(messages: int) -> EventsLostError | None:
    """Problem for messages that the broker says it discarded; None for zero."""
    if not messages:
        return None
    return EventsLostError(
        f"The broker says that it has discarded {messages} messages since its start.",
        "mosquitto keeps 1,000 for an absent client and discards the rest: set max_queued_messages 0 and restart it.",
    )


def session_taken_over(times: int, client_id: str) -> EventsLostError | None:
    """Problem for another client under our client id; None for zero times."""
    if not times:
        return None
    return EventsLostError(
        f"Another client at the broker uses our client id {client_id!r}: it has taken over our session {times} times in"
        " the last 10 minutes, and receives events of ours.",
        "Give every installation a client_id of its own under [broker]; the broker's log names the other's address.",
    )


class Forgotten:
    """Sessions that the broker lost. What waited there is gone for good: reported for ``TOLD_S``, with its time."""

    def __init__(self) -> None:
        self.total = 0
        self._lately: deque[tuple[float, int]] = deque(maxlen=1000)

    def note(self, now_s: float, now_ns: int) -> None:
        """Now, by the monotonic clock and in UTC."""
        self.total += 1
        self._lately.append((now_s, now_ns))

    def problem(self, now_s: float, client_id: str) -> EventsLostError | None:
        """None when there was none lately."""
        while self._lately and now_s - self._lately[0][0] > TOLD_S:
            self._lately.popleft()
        if not self._lately:
            return None
        often = f", the last of {len(self._lately)} times within an hour" if len(self._lately) > 1 else ""
        return EventsLostError(
            f"The broker forgot our session at {to_iso(self._lately[-1][1])}{often}: what waited there is lost.",
            "Let it keep its state over a restart (mosquitto: persistence true and a persistence_location). If it was"
            f" not restarted, another client connected with our client id {client_id!r} and a clean session: the"
            " broker's log names its address.",
        )

"""What a broker lost on the way to us, as problems that people can read."""

from __future__ import annotations

from typing import Final

from indexer.errors import EventsLostError

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


def session_forgotten(times: int, client_id: str) -> EventsLostError | None:
    """Problem for sessions that the broker lost; None for zero times."""
    if not times:
        return None
    return EventsLostError(
        f"The broker forgot our session, {times} times since the start: what waited there is lost.",
        "Let it keep its state over a restart (mosquitto: persistence true and a persistence_location). If it was not"
        f" restarted, another client connected with our client id {client_id!r} and a clean session: the broker's log"
        " names its address.",
    )

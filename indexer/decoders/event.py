"""The common output of all decoders."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from domain.access import Direction, EventKind

_SEPARATORS: Final = re.compile(r"[\s:._-]+")


@dataclass(slots=True, kw_only=True)  # not frozen: that costs a microsecond an event, as in Offer and Placed
class DecodedEvent:
    """A door message, understood. ``credential`` and ``number`` are personal data: kept out of repr.

    door: what the door system calls the door; other_door: what it calls it too, where the site has no door of the first
        name
    occurred_ns: the controller's clock; None when the message tells no time that it could be
    dedup: together with site and decoder names this event and no other, in every redelivery
    by_receipt: the message has nothing that distinguishes it from the next of its kind but the time of receipt
    """

    door: str
    kind: EventKind
    direction: Direction | None
    source_event_id: str | None
    credential: str | None = field(repr=False)  # normalised
    number: str | None = field(repr=False)  # the gym's customer number
    occurred_ns: int | None
    dedup: tuple[str, ...] = field(repr=False)
    seq: int | None = None  # the controller's count of its messages, where it numbers them
    other_door: str | None = None
    by_receipt: bool = False


Decoder = Callable[[str, bytes], tuple[DecodedEvent, ...]]
"""``decode(topic, payload)``: the events; none for a message that is understood and reports no event (a heartbeat).

Raises DecodeError. Pure: no clock, no I/O.
"""


def normalised_credential(text: str) -> str:
    """Upper case, without blanks, colons, points, dashes and underscores: ``04:a1:b2`` is ``04A1B2``."""
    return _SEPARATORS.sub("", text).upper()

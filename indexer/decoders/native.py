"""Tallenne's own format: topic ``access/<site>/<door>``, a JSON object, QoS 1.

``{"event_id": "...", "occurred_at": "2026-11-22T06:31:04.120Z", "kind": "granted", "credential": "04A1...",
"member_id": "123456", "direction": "in"}``. event_id is unique for ever at its door. ``kind``: the values of
domain.access.EventKind. granted, entered and not_entered say who: credential, member_id (the gym's customer number) or
both. denied says so where it is known: a card that cannot be read is refused, too.

``seq`` may be added: a whole number, one more with every message that is published of this door, from 1 after the
controller's start. Numbers that never arrive are how a loss on the way is found out.
"""

from __future__ import annotations

from typing import Any, Final

from domain.access import Direction, EventKind
from indexer.decoders.event import DecodedEvent
from indexer.decoders.reading import (
    iso_time,
    last_level,
    optional_credential,
    optional_text,
    read_object,
    text,
    whole_number,
)
from indexer.errors import DecodeError

_OF_SOMEBODY: Final = (EventKind.GRANTED, EventKind.ENTERED, EventKind.NOT_ENTERED)
SEQ_MAX: Final = 1 << 53


def decode(topic: str, payload: bytes) -> tuple[DecodedEvent, ...]:
    """The door is the topic's last level."""
    body = read_object(payload)
    event_id = text(body, "event_id")
    door = last_level(topic)
    kind = _kind(text(body, "kind"))
    credential, number = optional_credential(body, "credential"), optional_text(body, "member_id")
    if kind in _OF_SOMEBODY and credential is None and number is None:
        raise DecodeError("neither credential nor member_id")
    event = DecodedEvent(
        door=door,
        kind=kind,
        direction=_direction(optional_text(body, "direction")),
        source_event_id=event_id,
        credential=credential,
        number=number,
        occurred_ns=iso_time(body, "occurred_at"),
        dedup=(door, event_id),
        seq=_seq(body),
    )
    return (event,)


def _seq(body: dict[str, Any]) -> int | None:
    if body.get("seq") is None:
        return None
    found = whole_number(body, "seq")
    if not 0 <= found <= SEQ_MAX:
        raise DecodeError("seq is out of range")
    return found


def _kind(value: str) -> EventKind:
    try:
        return EventKind(value)
    except ValueError:
        raise DecodeError("kind is not known") from None


def _direction(value: str | None) -> Direction | None:
    try:
        return None if value is None else Direction(value)
    except ValueError:
        raise DecodeError("direction is neither in nor out") from None

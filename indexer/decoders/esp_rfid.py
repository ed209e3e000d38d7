"""esp-rfid (https://github.com/esprfid/esp-rfid, README-MQTT.md): ``<TOPIC>/send``, for Home Assistant ``<TOPIC>/tag``.

Published at QoS 0 and not retained: what is sent while the broker or the network is away is lost at the source.
There is no event id, times are whole seconds, and a door opened remotely has a blank uid. ``username`` is not read.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from domain.access import EventKind
from domain.time import NS
from indexer.decoders.event import DecodedEvent
from indexer.decoders.reading import (
    EARLIEST_NS,
    believable,
    checked_text,
    optional_credential,
    optional_text,
    read_object,
    text,
    whole_number,
)
from indexer.errors import DecodeError

_ACCESS: Final = {
    "always": EventKind.GRANTED,
    "admin": EventKind.GRANTED,
    "disabled": EventKind.DENIED,
    "expired": EventKind.DENIED,
    "denied": EventKind.DENIED,
}
_TAMPER: Final = {
    "Door was tampered!": EventKind.FORCED_OPEN,
    "Door wasn't closed within max open time!": EventKind.HELD_OPEN,
}
_LOGGED: Final = ("INFO", "WARN", "ERRO")
_STATUS: Final = ("boot", "heartbeat", "adduser", "deletuid", "deletusers")


def decode(topic: str, payload: bytes) -> DecodedEvent | None:
    """The door is the device: ``hostname`` or ``door``; where neither is sent, the topic's level before the last."""
    body = read_object(payload)
    kind_of_message = optional_text(body, "type")
    if kind_of_message == "access" or (kind_of_message is None and "access" in body):
        return _access(topic, body)
    if kind_of_message in _LOGGED:
        return _logged(topic, body)
    if kind_of_message in _STATUS or "command" in body:
        return None
    raise DecodeError("type is not known")


def _access(topic: str, body: Mapping[str, Any]) -> DecodedEvent:
    word = text(body, "access")
    kind = _ACCESS.get(word.lower())
    if kind is None:
        raise DecodeError("access is not known")
    return _event(topic, body, kind, optional_credential(body, "uid"))


def _logged(topic: str, body: Mapping[str, Any]) -> DecodedEvent | None:
    """The device's log: only what it says of its tamper contact is an event."""
    if optional_text(body, "src") != "tamper":
        return None
    kind = _TAMPER.get(text(body, "desc"))
    if kind is None:
        raise DecodeError("desc is not known")
    return _event(topic, body, kind, None)


def _event(topic: str, body: Mapping[str, Any], kind: EventKind, credential: str | None) -> DecodedEvent:
    seconds = whole_number(body, "time")
    door = _door(topic, body)
    return DecodedEvent(
        door=door,
        kind=kind,
        direction=None,
        source_event_id=None,
        credential=credential,
        number=None,
        # Before its first NTP answer the device counts from 1970.
        occurred_ns=None if 0 <= seconds * NS < EARLIEST_NS else believable(seconds * NS, "time"),
        dedup=(door, str(seconds), kind, credential or ""),
    )


def _door(topic: str, body: Mapping[str, Any]) -> str:
    levels = topic.split("/")
    before_last = checked_text(levels[-2], "topic") if len(levels) > 1 else None
    door = optional_text(body, "hostname") or optional_text(body, "door") or before_last
    if door is None:
        raise DecodeError("neither hostname nor door")
    return door

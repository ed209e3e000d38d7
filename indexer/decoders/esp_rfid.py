"""esp-rfid (https://github.com/esprfid/esp-rfid, README-MQTT.md and src/): ``<TOPIC>/send``, with Home Assistant
``<TOPIC>/tag`` and ``<TOPIC>/io/<what>``.

Published at QoS 0 and not retained: what is sent while the broker or the network is away is lost at the source.
There is no event id, times are whole seconds, and a door opened by button or over the network has a blank uid.
``username`` is not read. A board with several relays sends ``access`` and ``doorName`` as lists, one entry a relay.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from domain.access import EventKind
from domain.time import NS
from indexer.decoders.event import DecodedEvent
from indexer.decoders.reading import (
    checked_text,
    optional_credential,
    optional_text,
    read_object,
    representable,
    text,
    texts,
    whole_number,
)
from indexer.errors import DecodeError

_ACCESS: Final = {
    "always": EventKind.GRANTED,
    "admin": EventKind.GRANTED,
    "disabled": EventKind.DENIED,
    "expired": EventKind.DENIED,
    "denied": EventKind.DENIED,
    "wrong pin code": EventKind.DENIED,
}
_TAMPER: Final = {
    "Door was tampered!": EventKind.FORCED_OPEN,
    "Door wasn't closed within max open time!": EventKind.HELD_OPEN,
}
_LOGGED: Final = ("INFO", "WARN", "ERRO")
_STATUS: Final = ("boot", "heartbeat", "hearthbeat", "shutdown")
_RELAYS_MAX: Final = 16
_STATES: Final = (b"ON", b"OFF", b"LOCKED", b"UNLOCKED", b"online", b"offline")


def decode(topic: str, payload: bytes) -> tuple[DecodedEvent, ...]:
    """The door is the device: ``hostname`` or ``door``; where neither is sent, the topic's level before the last.

    Of a board with several relays it is the relay's ``doorName``, or the device where the site has no such door.
    """
    levels = topic.split("/")
    if levels[-1] == "avty" or levels[-2:-1] == ["io"]:
        return _state(levels, payload)
    body = read_object(payload)
    kind_of_message = optional_text(body, "type")
    if kind_of_message == "access" or (kind_of_message is None and "access" in body):
        return _access(topic, body)
    if kind_of_message in _LOGGED:
        return _logged(topic, body)
    if kind_of_message in _STATUS or _is_answer(body) or levels[-1] == "cmd":
        return ()
    raise DecodeError("type is not known")


def _is_answer(body: Mapping[str, Any]) -> bool:
    """A command's acknowledgement names the command and the device's address; a user's record has an account type."""
    return ("type" in body and "ip" in body) or "command" in body or "acctype" in body


def _state(levels: list[str], payload: bytes) -> tuple[DecodedEvent, ...]:
    """Home Assistant's switches, without time: the tamper contact is an alarm, door and lock follow from an access.

    One contact reports that a door was forced and that it stays open; forced is the graver of the two.
    """
    if payload not in _STATES:
        raise DecodeError("state is not known")
    if levels[-1] != "tamper" or payload != b"ON":
        return ()
    door = checked_text(levels[-3], "topic") if len(levels) > 2 else None
    if door is None:
        raise DecodeError("the topic names no device")
    kind = EventKind.FORCED_OPEN
    return (_made(door, None, kind, None, None, (door, "io", kind), by_receipt=True),)


def _access(topic: str, body: Mapping[str, Any]) -> tuple[DecodedEvent, ...]:
    """An event for every relay that was opened or refused."""
    credential = optional_credential(body, "uid")
    names = texts(body, "doorName", _RELAYS_MAX)
    if not isinstance(body.get("access"), list):
        name = names[0] if names else None
        return (_event(topic, body, _kind(text(body, "access")), credential, otherwise=name),)
    words = texts(body, "access", _RELAYS_MAX)
    if not words:
        raise DecodeError("access is missing")
    names = [*names, *[None] * len(words)]
    return tuple(
        _event(topic, body, _kind(word), credential, relay=number, first=names[number])
        for number, word in enumerate(words)
        if word is not None
    )


def _kind(word: str) -> EventKind:
    kind = _ACCESS.get(word.lower())
    if kind is None:
        raise DecodeError("access is not known")
    return kind


def _logged(topic: str, body: Mapping[str, Any]) -> tuple[DecodedEvent, ...]:
    """The device's log: only what it says of its tamper contact is an event; a card comes as ``access``, too."""
    if optional_text(body, "src") != "tamper":
        return ()
    kind = _TAMPER.get(text(body, "desc"))
    if kind is None:
        raise DecodeError("desc is not known")
    return (_event(topic, body, kind, None),)


def _event(
    topic: str,
    body: Mapping[str, Any],
    kind: EventKind,
    credential: str | None,
    *,
    relay: int | None = None,
    first: str | None = None,
    otherwise: str | None = None,
) -> DecodedEvent:
    """``first`` and ``otherwise``: the door's name, to be looked for before the device's, or after it."""
    seconds = whole_number(body, "time")
    device = _device(topic, body)
    occurred_ns = representable(seconds * NS)  # from 1970 on until it has the time
    dedup = (device, str(seconds), kind, credential or "", *([] if relay is None else [str(relay)]))
    return _made(first or device, device if first else otherwise, kind, credential, occurred_ns, dedup)


def _made(
    door: str,
    other_door: str | None,
    kind: EventKind,
    credential: str | None,
    occurred_ns: int | None,
    dedup: tuple[str, ...],
    *,
    by_receipt: bool = False,
) -> DecodedEvent:
    return DecodedEvent(
        door=door,
        other_door=other_door,
        kind=kind,
        direction=None,
        source_event_id=None,
        credential=credential,
        number=None,
        occurred_ns=occurred_ns,
        dedup=dedup,
        by_receipt=by_receipt,
    )


def _device(topic: str, body: Mapping[str, Any]) -> str:
    levels = topic.split("/")
    before_last = checked_text(levels[-2], "topic") if len(levels) > 1 else None
    device = optional_text(body, "hostname") or optional_text(body, "door") or before_last
    if device is None:
        raise DecodeError("neither hostname nor door")
    return device

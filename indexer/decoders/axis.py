"""Axis door controllers and others that send ONVIF events as JSON over MQTT (VAPIX, "MQTT Event Bridge").

``{"topic": "tns1:AccessControl/AccessGranted/Credential", "timestamp": <ms>, "serial": "...", "message": {"source":
{"AccessPointToken": "..."}, "key": {}, "data": {"CredentialToken": "...", "CredentialHolderName": "...", "Card":
"..."}}}``. Topics and items: ONVIF Access Control and Door Control Service Specifications. There is no event id; the
topic's prefix is ``tns1:`` or ``onvif:``. Often retained: the last event comes again at every subscribe.
CredentialHolderName is not read: it is a name, or a token that means nothing here.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from domain.access import EventKind
from indexer.decoders.event import DecodedEvent
from indexer.decoders.reading import (
    optional_credential,
    optional_text,
    part,
    read_object,
    representable,
    text,
    whole_number,
)
from indexer.errors import DecodeError

_ACCESS: Final = {
    "AccessGranted": EventKind.GRANTED,
    "AccessTaken": EventKind.ENTERED,
    "AccessNotTaken": EventKind.NOT_ENTERED,
    "Denied": EventKind.DENIED,
}
_ALARMS: Final = {"DoorForcedOpen": EventKind.FORCED_OPEN, "DoorOpenTooLong": EventKind.HELD_OPEN, "Normal": None}
_OF_CONFIGURATION: Final = ("AccessPoint", "Configuration", "Credential")
"""Something was enabled, changed or removed: no passage, and no refusal."""
_MS: Final = 1_000_000


def decode(_topic: str, payload: bytes) -> tuple[DecodedEvent, ...]:
    """The door is the AccessPointToken, for alarms the DoorToken; both are in the payload."""
    body = read_object(payload)
    levels = [level.rpartition(":")[2] for level in text(body, "topic").split("/")]
    message = part(body, "message")
    if levels[0] == "AccessControl" and len(levels) > 1:
        if levels[1] == "Request":
            return ()
        kind = _ACCESS.get(levels[1])
        if kind is None:
            raise DecodeError("topic is not known")
        return (_event(body, message, kind, "AccessPointToken"),)
    if levels[:3] == ["Door", "State", "DoorAlarm"]:
        return _alarm(body, message)
    if levels[:2] == ["Door", "State"] or levels[0] in _OF_CONFIGURATION:
        return ()
    raise DecodeError("topic is not known")


def _alarm(body: Mapping[str, Any], message: Mapping[str, Any]) -> tuple[DecodedEvent, ...]:
    state = text(part(message, "data"), "State")
    if state not in _ALARMS:
        raise DecodeError("State is not known")
    kind = _ALARMS[state]
    return () if kind is None else (_event(body, message, kind, "DoorToken"),)


def _event(body: Mapping[str, Any], message: Mapping[str, Any], kind: EventKind, token: str) -> DecodedEvent:
    data = part(message, "data")
    door = text(part(message, "source"), token)
    milliseconds = whole_number(body, "timestamp")
    credential_token = optional_credential(data, "CredentialToken")
    credential = optional_credential(data, "Card") or credential_token
    return DecodedEvent(
        door=door,
        kind=kind,
        direction=None,
        source_event_id=None,
        credential=credential,
        number=None,
        occurred_ns=representable(milliseconds * _MS),
        dedup=(optional_text(body, "serial") or "", door, str(milliseconds), kind, credential or ""),
    )

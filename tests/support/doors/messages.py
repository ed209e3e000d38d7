"""A door message of each system, as its vendor documents it."""

from __future__ import annotations

import json
from typing import Any

from indexer.decoders import DecodedEvent, decoder

NATIVE: dict[str, Any] = {
    "event_id": "7f1",
    "occurred_at": "2026-11-22T06:31:04.120Z",
    "kind": "granted",
    "credential": "04:a1:b2:c3",
    "member_id": "123456",
    "direction": "in",
}
ESP_ACCESS: dict[str, Any] = {  # README-MQTT.md, "Publish Access"
    "type": "access",
    "time": 1605991375,
    "isKnown": "true",
    "access": "Always",
    "username": "username",
    "uid": "1234abcd",
    "hostname": "esp-front",
}
AXIS_GRANTED: dict[str, Any] = {  # VAPIX event logger guide's event, in the MQTT event bridge's JSON
    "topic": "tns1:AccessControl/AccessGranted/Credential",
    "timestamp": 1382951603000,
    "serial": "00408C184C74",
    "message": {
        "source": {"AccessPointToken": "Axis-00408c184c74:1382951520.315392000"},
        "key": {},
        "data": {
            "CredentialHolderName": "Axis-00408c184c74:1382951566.633213000",
            "CredentialToken": "Axis-00408c184c74:1382951567.312696000",
        },
    },
}
EXAMPLES: dict[str, dict[str, Any]] = {"native": NATIVE, "esp-rfid": ESP_ACCESS, "axis": AXIS_GRANTED}
TOPIC = "access/helsinki/front"


def decoded(name: str, body: dict[str, Any], topic: str = TOPIC) -> DecodedEvent:
    """The one event of a message."""
    (event,) = decoder(name)(topic, json.dumps(body).encode())
    return event

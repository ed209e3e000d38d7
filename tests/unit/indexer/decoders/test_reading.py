"""Decoders on their vendors' documented messages, and on what no vendor sends."""

from __future__ import annotations

import contextlib
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.access import Direction, EventKind
from domain.time import NS, from_iso
from indexer.decoders import DECODERS, PAYLOAD_MAX_BYTES, DecodedEvent, Decoder, decoder, normalised_credential
from indexer.errors import DecodeError, IndexMisuseError

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
EXAMPLES = {"native": NATIVE, "esp-rfid": ESP_ACCESS, "axis": AXIS_GRANTED}
TOPIC = "access/helsinki/front"


def decoded(name: str, body: dict[str, Any], topic: str = TOPIC) -> DecodedEvent:
    event = decoder(name)(topic, json.dumps(body).encode())
    assert event is not None
    return event


def test_native_example_decodes_every_field() -> None:
    event = decoded("native", NATIVE)
    assert event == DecodedEvent(
        door="front",
        kind=EventKind.GRANTED,
        direction=Direction.IN,
        source_event_id="7f1",
        credential="04A1B2C3",
        number="123456",
        occurred_ns=from_iso("2026-11-22T06:31:04.120Z"),
        dedup=("front", "7f1"),
    )


@pytest.mark.parametrize("kind", ["forced_open", "held_open", "exit"])
def test_native_event_of_nobody_decodes_without_credential(kind: str) -> None:
    body = {"event_id": 5, "occurred_at": "2026-11-22T07:31:04+01:00", "kind": kind}
    event = decoded("native", body)
    assert (event.credential, event.number, event.direction, event.source_event_id) == (None, None, None, "5")
    assert event.occurred_ns == from_iso("2026-11-22T06:31:04Z")


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"event_id": None}, "event_id is missing"),
        ({"event_id": "  "}, "event_id is missing"),
        ({"event_id": True}, "event_id is not text"),
        ({"event_id": "a\u202eb"}, "not printable"),
        ({"event_id": "x" * 201}, "too long"),
        ({"event_id": "\ud800"}, "not printable"),
        ({"credential": None, "member_id": None}, "neither"),
        ({"credential": ["04A1"]}, "credential is not text"),
        ({"kind": "opened"}, "kind is not known"),
        ({"direction": "up"}, "direction"),
        ({"occurred_at": "2026-11-22T06:31:04"}, "occurred_at"),
        ({"occurred_at": "yesterday"}, "occurred_at"),
        ({"occurred_at": "0001-01-01T00:00:00+14:00"}, "occurred_at"),
        ({"occurred_at": "1970-01-01T00:00:00Z"}, "out of range"),
    ],
)
def test_native_wrong_field_is_refused_by_name(changed: dict[str, Any], reason: str) -> None:
    with pytest.raises(DecodeError, match=reason):
        decoded("native", NATIVE | changed)


def test_native_topic_without_door_is_refused() -> None:
    with pytest.raises(DecodeError, match="topic"):
        decoded("native", NATIVE, topic="access/helsinki/")


@pytest.mark.parametrize(
    ("access", "known", "kind"),
    [
        ("Always", "true", EventKind.GRANTED),
        ("Admin", "true", EventKind.GRANTED),
        ("Disabled", "true", EventKind.DENIED),
        ("Expired", "true", EventKind.DENIED),
        ("Denied", "false", EventKind.DENIED),
    ],
)
def test_esp_rfid_access_states_are_told_apart(access: str, known: str, kind: EventKind) -> None:
    event = decoded("esp-rfid", ESP_ACCESS | {"access": access, "isKnown": known}, topic="rfid/send")
    assert (event.door, event.kind, event.credential) == ("esp-front", kind, "1234ABCD")
    assert event.occurred_ns == 1605991375 * NS
    assert "username" not in repr(event)


def test_esp_rfid_remote_opening_has_no_credential() -> None:
    event = decoded("esp-rfid", ESP_ACCESS | {"uid": " ", "username": "MQTT"}, topic="rfid/send")
    assert (event.kind, event.credential, event.number) == (EventKind.GRANTED, None, None)


def test_esp_rfid_home_assistant_message_takes_the_door_from_the_topic() -> None:
    body = {"uid": "1234abcd", "username": "username", "access": "Always", "time": 1605991375}
    assert decoded("esp-rfid", body, topic="gym/front/tag").door == "front"
    older = ESP_ACCESS | {"hostname": None, "door": "esp-old"}
    assert decoded("esp-rfid", older, topic="rfid/send").door == "esp-old"


def test_esp_rfid_without_clock_tells_no_time() -> None:
    assert decoded("esp-rfid", ESP_ACCESS | {"time": 77}).occurred_ns is None


@pytest.mark.parametrize(
    ("desc", "kind"),
    [
        ("Door was tampered!", EventKind.FORCED_OPEN),
        ("Door wasn't closed within max open time!", EventKind.HELD_OPEN),
    ],
)
def test_esp_rfid_tamper_messages_are_events(desc: str, kind: EventKind) -> None:
    body = {"type": "WARN", "src": "tamper", "desc": desc, "data": "", "time": 1605991375, "cmd": "event"}
    assert decoded("esp-rfid", body | {"hostname": "esp-front"}).kind == kind


@pytest.mark.parametrize(
    "body",
    [
        {"type": "heartbeat", "time": 1605991375, "uptime": 999, "ip": "192.168.1.2", "hostname": "esp-front"},
        {"type": "boot", "time": 1605987212, "uptime": 0, "ip": "192.168.1.2", "hostname": "esp-front"},
        {"type": "INFO", "src": "door", "desc": "Door Open", "data": "", "time": 1605991375, "hostname": "esp-front"},
        {"command": "userfile", "uid": "1234", "user": "User Name", "acctype": 1, "validuntil": 1608336000},
    ],
)
def test_esp_rfid_status_message_is_no_event(body: dict[str, Any]) -> None:
    assert decoder("esp-rfid")("rfid/send", json.dumps(body).encode()) is None


def test_axis_example_decodes_and_prefers_the_card() -> None:
    event = decoded("axis", AXIS_GRANTED, topic="axis/B8A44F000000/event")
    assert event.door == "Axis-00408c184c74:1382951520.315392000"
    assert (event.kind, event.occurred_ns) == (EventKind.GRANTED, 1382951603 * NS)
    assert event.credential == normalised_credential("Axis-00408c184c74:1382951567.312696000")
    data = AXIS_GRANTED["message"]["data"] | {"Card": "04 a1 b2 c3"}
    with_card = AXIS_GRANTED | {"message": AXIS_GRANTED["message"] | {"data": data}}
    assert decoded("axis", with_card).credential == "04A1B2C3"


@pytest.mark.parametrize(
    ("topic", "kind"),
    [
        ("onvif:AccessControl/AccessTaken/Credential", EventKind.ENTERED),
        ("tns1:AccessControl/AccessNotTaken/Credential", EventKind.NOT_ENTERED),
        ("tns1:AccessControl/Denied/Credential", EventKind.DENIED),
        ("tns1:AccessControl/Denied/CredentialNotFound/Card", EventKind.DENIED),
        ("tns1:AccessControl/AccessGranted/Anonymous", EventKind.GRANTED),
    ],
)
def test_axis_topics_are_told_apart(topic: str, kind: EventKind) -> None:
    assert decoded("axis", AXIS_GRANTED | {"topic": topic}).kind == kind


@pytest.mark.parametrize(
    ("state", "kind"),
    [("DoorForcedOpen", EventKind.FORCED_OPEN), ("DoorOpenTooLong", EventKind.HELD_OPEN), ("Normal", None)],
)
def test_axis_door_alarm_is_an_event_unless_it_ends(state: str, kind: EventKind | None) -> None:
    message = {"source": {"DoorToken": "Axis-door:1"}, "key": {}, "data": {"State": state}}
    body = {"topic": "tns1:Door/State/DoorAlarm", "timestamp": 1382951603000, "serial": "1", "message": message}
    event = decoder("axis")(TOPIC, json.dumps(body).encode())
    assert (event.kind if event else None) == kind


def test_axis_state_and_request_are_no_events() -> None:
    for topic in ("tns1:Door/State/DoorPhysicalState", "tns1:AccessControl/Request/Credential"):
        assert decoder("axis")(TOPIC, json.dumps(AXIS_GRANTED | {"topic": topic}).encode()) is None


@pytest.mark.parametrize("name", sorted(DECODERS))
def test_redelivery_has_the_same_dedup_and_another_event_has_not(name: str) -> None:
    body = EXAMPLES[name]
    assert decoded(name, body).dedup == decoded(name, dict(reversed(body.items()))).dedup
    clock = {"native": {"event_id": "7f2"}, "esp-rfid": {"time": 1605991376}, "axis": {"timestamp": 1382951603001}}
    assert decoded(name, body).dedup != decoded(name, body | clock[name]).dedup


HOSTILE = {
    "empty": b"",
    "not JSON": b"<xml/>",
    "not an object": b"[1]",
    "cut": b'{"event_id": "1", ',
    "not UTF-8": b'{"event_id": "\xff"}',
    "UTF-16": '{"event_id": "1"}'.encode("utf-16"),
    "NaN": b'{"time": NaN}',
    "deep": b'{"a":' * 50_00 + b"1" + b"}" * 50_00,
    "deep arrays": b"[" * 30_000 + b"]" * 30_000,
    "oversized": b'{"a": "' + b"x" * PAYLOAD_MAX_BYTES + b'"}',
    "huge number": b'{"type": "access", "access": "Always", "time": ' + b"9" * 5000 + b"}",
}


@pytest.mark.parametrize("name", sorted(DECODERS))
@pytest.mark.parametrize("payload", HOSTILE.values(), ids=HOSTILE.keys())
def test_hostile_payload_is_refused(name: str, payload: bytes) -> None:
    with pytest.raises(DecodeError) as refused:
        decoder(name)(TOPIC, payload)
    assert "xxx" not in str(refused.value) and "999" not in str(refused.value)


@pytest.mark.parametrize("name", sorted(DECODERS))
def test_size_limit_is_exact(name: str) -> None:
    body = json.dumps(EXAMPLES[name]).encode()
    assert decoder(name)(TOPIC, body + b" " * (PAYLOAD_MAX_BYTES - len(body))) is not None
    with pytest.raises(DecodeError, match="larger"):
        decoder(name)(TOPIC, body + b" " * (PAYLOAD_MAX_BYTES - len(body) + 1))


_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)


@pytest.mark.parametrize("decode", DECODERS.values(), ids=DECODERS.keys())
@given(example=st.sampled_from(list(EXAMPLES.values())), data=st.data())
def test_any_field_of_any_type_decodes_or_is_refused(
    decode: Decoder, example: dict[str, Any], data: st.DataObject
) -> None:
    """Nothing but DecodeError ever leaves a decoder, and what it gives can be stored."""
    body = json.loads(json.dumps(example))
    part = data.draw(st.sampled_from([body, body.get("message", body)]))
    part[data.draw(st.sampled_from(sorted(part)))] = data.draw(_json)
    try:
        event = decode(TOPIC, json.dumps(body).encode())
    except DecodeError:
        return
    if event is not None:
        for text in (event.door, event.credential, event.number, *event.dedup):
            assert text is None or (text.encode("utf-8") and "\x00" not in text) or text == ""


@given(payload=st.binary(max_size=200))
def test_any_bytes_decode_or_are_refused(payload: bytes) -> None:
    for decode in DECODERS.values():
        with contextlib.suppress(DecodeError):
            assert decode(TOPIC, payload) is None


def test_unknown_decoder_names_the_known_ones() -> None:
    with pytest.raises(IndexMisuseError, match="native"):
        decoder("salto")

"""Every message that esp-rfid documents, or sends by its source."""

from __future__ import annotations

import json
from typing import Any

import pytest

from domain.access import EventKind
from domain.time import NS
from indexer.decoders import decoder
from indexer.errors import DecodeError
from tests.support.doors.messages import ESP_ACCESS, decoded


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


def test_esp_rfid_without_clock_counts_from_1970() -> None:
    assert decoded("esp-rfid", ESP_ACCESS | {"time": 77}).occurred_ns == 77 * NS
    assert decoded("esp-rfid", ESP_ACCESS | {"time": 1605991375000}).occurred_ns is None  # milliseconds


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
    assert decoder("esp-rfid")("rfid/send", json.dumps(body).encode()) == ()


EAST_WEST: dict[str, Any] = ESP_ACCESS | {"access": ["Always", "Disabled"], "doorName": ["East", "West"]}


def several(body: dict[str, Any], topic: str = "rfid/send") -> list[tuple[str, str | None, EventKind]]:
    """Door, other name and kind of each event."""
    events = decoder("esp-rfid")(topic, json.dumps(body).encode())
    assert len({event.dedup for event in events}) == len(events)
    return [(event.door, event.other_door, event.kind) for event in events]


def test_esp_rfid_board_with_two_relays_tells_of_two_doors() -> None:
    assert several(EAST_WEST) == [
        ("East", "esp-front", EventKind.GRANTED),
        ("West", "esp-front", EventKind.DENIED),
    ]


def test_esp_rfid_relays_without_names_are_the_device() -> None:
    assert several(EAST_WEST | {"doorName": None}) == [
        ("esp-front", None, EventKind.GRANTED),
        ("esp-front", None, EventKind.DENIED),
    ]
    assert several(EAST_WEST | {"doorName": ["", "West"]})[0] == ("esp-front", None, EventKind.GRANTED)
    assert several(EAST_WEST | {"access": ["Always"]}) == [("East", "esp-front", EventKind.GRANTED)]


def test_esp_rfid_board_with_one_relay_is_the_device_or_its_door() -> None:
    assert several(ESP_ACCESS | {"doorName": "Front"}) == [("esp-front", "Front", EventKind.GRANTED)]


@pytest.mark.parametrize("access", [[], ["Maybe"], [["Always"]], [1, {}], "Maybe", ["Always"] * 17, {"0": "Always"}])
def test_esp_rfid_access_that_is_none_is_refused(access: object) -> None:
    with pytest.raises(DecodeError, match="access"):
        several(ESP_ACCESS | {"access": access})


def test_esp_rfid_wrong_pin_is_refused_at_the_door() -> None:
    assert decoded("esp-rfid", ESP_ACCESS | {"access": "Wrong pin code"}).kind is EventKind.DENIED


@pytest.mark.parametrize(
    "body",
    [
        {"type": "updateconf", "ip": "192.0.2.1", "hostname": "esp-front"},
        {"type": "getconf", "ip": "192.0.2.1", "hostname": "esp-front", "data": {"general": {"pswd": "admin"}}},
        {"type": "deletuid", "ip": "192.0.2.1", "hostname": "esp-front"},
        {"type": "hearthbeat", "time": 1605991375},
        {"type": "shutdown", "time": 1605991375, "uptime": 999},
        {"user": "User Name", "acctype": 1, "validuntil": 1608336000},
        {"type": "WARN", "src": "rfid", "desc": "Unknown rfid tag is scanned", "data": "1 2", "time": 1605991375},
        {"type": "ERRO", "src": "mqtt", "desc": "Dropping MQTT message, out of memory", "time": 1605991375},
    ],
)
def test_esp_rfid_answer_to_a_command_is_no_event(body: dict[str, Any]) -> None:
    assert several(body) == []


def test_esp_rfid_command_to_it_is_no_event() -> None:
    assert several({"cmd": "opendoor", "doorip": "192.0.2.1"}, "rfid/cmd") == []


@pytest.mark.parametrize(
    ("topic", "payload"),
    [
        ("rfid/io/door", b"ON"),
        ("rfid/io/doorbell", b"OFF"),
        ("rfid/io/lock0", b"UNLOCKED"),
        ("rfid/io/tamper", b"OFF"),
        ("rfid/avty", b"online"),
    ],
)
def test_esp_rfid_states_for_home_assistant_are_no_events(topic: str, payload: bytes) -> None:
    assert decoder("esp-rfid")(topic, payload) == ()


def test_esp_rfid_tamper_contact_for_home_assistant_is_an_alarm_when_it_is_received() -> None:
    (event,) = decoder("esp-rfid")("gym/front/io/tamper", b"ON")
    assert (event.door, event.kind, event.occurred_ns) == ("front", EventKind.FORCED_OPEN, None)
    assert event.by_receipt
    with pytest.raises(DecodeError, match="state"):
        decoder("esp-rfid")("gym/front/io/tamper", b"{}")
    with pytest.raises(DecodeError, match="device"):
        decoder("esp-rfid")("io/tamper", b"ON")

"""Axis and ONVIF events as JSON."""

from __future__ import annotations

import json

import pytest

from domain.access import EventKind
from domain.time import NS
from indexer.decoders import decoder, normalised_credential
from indexer.errors import DecodeError
from tests.support.doors.messages import AXIS_GRANTED, TOPIC, decoded


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
        ("tns1:AccessControl/Denied/CredentialNotFound/PIN", EventKind.DENIED),
        ("tns1:AccessControl/Denied/Anonymous", EventKind.DENIED),
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
    events = decoder("axis")(TOPIC, json.dumps(body).encode())
    assert [event.kind for event in events] == ([] if kind is None else [kind])


def test_axis_state_and_request_are_no_events() -> None:
    for topic in ("tns1:Door/State/DoorPhysicalState", "tns1:AccessControl/Request/Credential"):
        assert decoder("axis")(TOPIC, json.dumps(AXIS_GRANTED | {"topic": topic}).encode()) == ()


@pytest.mark.parametrize(
    "topic",
    [
        "AccessPoint/State/Enabled",
        "Configuration/AccessPoint/Changed",
        "Configuration/Door/Removed",
        "Credential/State/Enabled",
    ],
)
def test_axis_change_of_its_configuration_is_no_event(topic: str) -> None:
    assert decoder("axis")(TOPIC, json.dumps(AXIS_GRANTED | {"topic": f"tns1:{topic}"}).encode()) == ()


def test_axis_duress_is_kept_for_people_to_see() -> None:
    with pytest.raises(DecodeError, match="topic is not known"):
        decoder("axis")(TOPIC, json.dumps(AXIS_GRANTED | {"topic": "tns1:AccessControl/Duress"}).encode())

"""Tallenne's own format: every field, and what is refused by name."""

from __future__ import annotations

from typing import Any

import pytest

from domain.access import Direction, EventKind
from domain.time import NS, from_iso
from indexer.decoders import DecodedEvent
from indexer.errors import DecodeError
from tests.support.doors.messages import NATIVE, decoded


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
    ],
)
def test_native_wrong_field_is_refused_by_name(changed: dict[str, Any], reason: str) -> None:
    with pytest.raises(DecodeError, match=reason):
        decoded("native", NATIVE | changed)


def test_native_topic_without_door_is_refused() -> None:
    with pytest.raises(DecodeError, match="topic"):
        decoded("native", NATIVE, topic="access/helsinki/")


@pytest.mark.parametrize(
    ("told", "occurred_ns"),
    [
        ("1970-01-01T00:00:12Z", 12 * NS),  # judged by whoever knows the door's clock
        ("2000-01-01T00:00:00Z", 946_684_800 * NS),
        ("2106-02-07T06:28:15Z", 4_294_967_295 * NS),
        ("0001-01-01T00:00:00Z", None),
        ("0001-01-01T00:00:00+02:00", None),
        ("9999-12-31T23:59:59-02:00", None),
        ("1969-12-31T23:59:59Z", None),
    ],
)
def test_native_time_of_an_unset_clock_is_no_reason_to_refuse(told: str, occurred_ns: int | None) -> None:
    assert decoded("native", NATIVE | {"occurred_at": told}).occurred_ns == occurred_ns

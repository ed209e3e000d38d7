"""Which decoder reads a topic, and names of events that nothing else shares."""

from __future__ import annotations

import hashlib
import uuid
from dataclasses import replace

import pytest

from domain.access import EventKind
from domain.ids import SiteId
from indexer.decoders import DECODERS, DecodedEvent
from indexer.errors import IndexMisuseError
from indexer.events.rules import Names, Route, Rules
from indexer.settings import TopicRule

NORTH, SOUTH = SiteId(uuid.uuid4()), SiteId(uuid.uuid4())
SECRET = bytes(range(32))
EVENT = DecodedEvent(
    door="Front",
    kind=EventKind.GRANTED,
    direction=None,
    source_event_id="7",
    credential="04A1",
    number="1042",
    occurred_ns=5,
    dedup=("Front", "7"),
)


def route(site: SiteId = NORTH, name: str = "native", *, ids_restart: bool = False) -> Route:
    return Route(site_id=site, name=name, decode=DECODERS[name], ids_restart=ids_restart)


def keyed(data: bytes) -> bytes:
    return hashlib.blake2b(data, key=SECRET, digest_size=32).digest()


def test_first_rule_that_fits_a_topic_decides() -> None:
    rules = Rules(
        [
            TopicRule(pattern="north/special", decoder="axis", site_id=NORTH, ids_restart=True),
            TopicRule(pattern="north/+", decoder="native", site_id=NORTH),
            TopicRule(pattern="south/#", decoder="esp-rfid", site_id=SOUTH),
            TopicRule(pattern="north/+", decoder="axis", site_id=SOUTH),
        ]
    )
    assert rules.patterns == ("north/special", "north/+", "south/#")
    assert rules.route("north/special") == route(NORTH, "axis", ids_restart=True)
    assert rules.route("north/door") == route(NORTH, "native")
    assert rules.route("south/a/b") == route(SOUTH, "esp-rfid")
    for unknown in ("north", "north/a/b", "east/door", ""):
        assert rules.route(unknown) is None
    assert rules.route("north/door") is rules.route("north/door")


def test_rule_with_an_unknown_decoder_is_refused_with_the_known_ones() -> None:
    with pytest.raises(IndexMisuseError, match="esp-rfid, native"):
        Rules([TopicRule(pattern="a", decoder="wiegand", site_id=NORTH)])


def test_event_has_one_name_in_every_redelivery_and_another_for_all_that_tells_it_apart() -> None:
    names = Names(SECRET)
    name = names.of_event(route(), EVENT, 100)
    assert name == names.of_event(route(), EVENT, 999)
    assert name == keyed(f"event\x1f{NORTH}\x1fnative\x1fFront\x1f7".encode())
    assert name == names.of_event(route(), replace(EVENT, occurred_ns=6, credential="X", number=None), 100)
    others = [
        names.of_event(route(SOUTH), EVENT, 100),
        names.of_event(route(name="axis"), EVENT, 100),
        names.of_event(route(), replace(EVENT, dedup=("Front", "8")), 100),
        names.of_event(route(), replace(EVENT, dedup=("Front7",)), 100),
        names.of_event(route(), replace(EVENT, dedup=("Front", "7", "")), 100),
        Names(bytes(32)).of_event(route(), EVENT, 100),
    ]
    assert len({name, *others}) == 1 + len(others)


def test_controller_whose_ids_restart_has_events_told_apart_by_time_kind_and_person() -> None:
    names, restarts = Names(SECRET), route(ids_restart=True)
    changes = [{}, {"occurred_ns": 6}, {"kind": EventKind.DENIED}, {"credential": "B"}, {"number": "2"}]
    changes += [{"credential": None}, {"number": None}]
    found = {names.of_event(restarts, replace(EVENT, **change), 100) for change in changes}
    assert len(found) == len(changes)
    assert names.of_event(restarts, EVENT, 100) == names.of_event(restarts, EVENT, 999)


def test_message_without_anything_of_its_own_is_told_apart_by_its_receipt() -> None:
    names, event = Names(SECRET), replace(EVENT, by_receipt=True)
    assert names.of_event(route(), event, 100) == names.of_event(route(), event, 100)
    assert names.of_event(route(), event, 100) != names.of_event(route(), event, 101)


def test_messages_and_corrections_have_names_of_their_own_kind() -> None:
    names = Names(SECRET)
    message = names.of_message("a/b", b"payload")
    assert message == keyed(b"message\x1fa/b\x00payload")
    assert names.of_correction(message) == keyed(b"correction\x1f" + message)
    apart = {message, names.of_message("a/b", b"other"), names.of_message("a/bpay", b"load"), names.of_correction(b"")}
    assert len(apart) == 4
    assert Names(bytes(32)).of_message("a/b", b"payload") != message

"""Messages out of a buffer: whole, in pieces, malformed."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from indexer.mqtt.packets import Publish, acknowledgements, publish_at, size_at


def varint(length: int) -> bytes:
    found = bytearray()
    while True:
        length, rest = divmod(length, 128)
        found.append(rest | (0x80 if length else 0))
        if not length:
            return bytes(found)


def packet(topic: bytes, payload: bytes, qos: int, mid: int, retain: bool = False, dup: bool = False) -> bytes:
    body = len(topic).to_bytes(2, "big") + topic + (mid.to_bytes(2, "big") if qos else b"") + payload
    return bytes([0x30 | dup << 3 | qos << 1 | retain]) + varint(len(body)) + body


messages = st.builds(
    Publish,
    topic=st.binary(min_size=1, max_size=300),
    payload=st.binary(max_size=300),
    qos=st.integers(0, 1),
    mid=st.integers(1, 65535),
    retain=st.booleans(),
    dup=st.booleans(),
)


@given(messages, st.binary(max_size=20), st.binary(max_size=20))
def test_message_is_found_among_others(message: Publish, before: bytes, after: bytes) -> None:
    wanted = message if message.qos else message._replace(mid=0)
    made = packet(*message)
    data = before + made + after
    assert size_at(data, len(before)) == len(made)
    assert publish_at(data, len(before), len(made)) == wanted


@given(messages)
def test_incomplete_packet_is_waited_for(message: Publish) -> None:
    made = packet(*message)
    assert all(size_at(made[:n], 0) == 0 for n in range(min(len(made), 300)))
    assert size_at(made[:-1], 0) == 0


@pytest.mark.parametrize("length", [0, 1, 127, 128, 16_383, 16_384, 65_536, 2_097_151, 2_097_152])
def test_length_at_its_boundaries(length: int) -> None:
    made = b"\xc0" + varint(length) + bytes(length)
    assert size_at(made, 0) == len(made)
    assert size_at(made[:-1], 0) == (0 if length or len(made) > 1 else len(made))


@pytest.mark.parametrize(
    "data",
    [
        packet(b"a/b", b"x", 2, 1),
        b"\x40\x02\x00\x01",  # PUBACK
        b"\x30\x00",
        b"\x30\x01\x00",
        b"\x30\x02\x00\x00",  # no topic
        b"\x30\x04\x00\x05ab",  # a topic longer than the packet
        b"\x32\x04\x00\x02ab",  # QoS 1 without a number
        b"\x36\x06\x00\x02ab\x00\x01",  # QoS 3
    ],
)
def test_anything_else_is_left_to_the_driver(data: bytes) -> None:
    assert size_at(data, 0) == len(data)
    assert publish_at(data, 0, len(data)) is None


@given(st.binary(min_size=1, max_size=40))
def test_rubbish_raises_nothing(data: bytes) -> None:
    size = size_at(data, 0)
    assert 0 <= size <= len(data)
    if size:
        publish_at(data, 0, size)


def test_malformed_length_is_left_to_the_driver() -> None:
    for data in (b"\x30\x80\x80\x80\x80", b"\x30\xff\xff\xff\xff\xff\x00"):
        assert size_at(data, 0) == len(data)
        assert publish_at(data, 0, len(data)) is None


def test_malformed_length_counts_as_there() -> None:
    assert size_at(b"\x30\xff\xff\xff\xff\x01", 0) == 6
    assert size_at(b"\x30\xff\xff\xff", 0) == 0


def test_acknowledgements_stand_one_behind_the_other() -> None:
    assert acknowledgements([1, 0x1234]) == b"\x40\x02\x00\x01\x40\x02\x12\x34"

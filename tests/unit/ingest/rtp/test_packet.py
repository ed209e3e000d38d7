"""Where an RTP packet's payload lies, and whether its padding bit says the truth."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.rtp.packet import Padding, PayloadBounds


def packet(payload: bytes, *, flags: int = 0x80, before: bytes = b"") -> bytes:
    return bytes((flags, 96)) + bytes(10) + before + payload


def payload_of(bounds: PayloadBounds, data: bytes) -> bytes | None:
    start, stop = bounds.of(memoryview(data), 0, len(data))
    return data[start:stop] if start >= 0 else None


@pytest.mark.parametrize(
    ("flags", "before"),
    [
        (0x80, b""),
        (0x82, bytes(8)),  # two contributing sources
        (0x90, b"\xbe\xde\x00\x01abcd"),  # an extension
        (0x91, bytes(4) + b"\xbe\xde\x00\x00"),
    ],
)
def test_payload_lies_behind_sources_and_extension(flags: int, before: bytes) -> None:
    assert payload_of(PayloadBounds(), packet(b"data", flags=flags, before=before)) == b"data"


@pytest.mark.parametrize("data", [b"", b"\x80" * 11, b"\x40" + bytes(20), b"\x8f" + bytes(30), b"\x90" + bytes(13)])
def test_what_is_no_packet_has_no_payload(data: bytes) -> None:
    assert payload_of(PayloadBounds(), data) is None


def test_extension_longer_than_the_packet_leaves_nothing() -> None:
    assert payload_of(PayloadBounds(), packet(b"data", flags=0x90, before=b"\xbe\xde\x00\xff")) is None


@pytest.mark.parametrize("padding", [b"\x01", b"\x00\x02", b"\x00\x00\x03", bytes(199) + b"\xc8"])
def test_padding_is_taken_off(padding: bytes) -> None:
    assert payload_of(PayloadBounds(), packet(b"data" + padding, flags=0xA0)) == b"data"


@pytest.mark.parametrize("payload", [b"data\x00", b"data\xff", b"data\x03"])
def test_padding_bit_without_padding_is_found_out(payload: bytes) -> None:
    """0 counts nothing, 255 is more than there is, and padding is of zeros."""
    bounds = PayloadBounds()
    assert payload_of(bounds, packet(payload, flags=0xA0)) == payload
    assert bounds.padding is Padding.ABSENT
    assert payload_of(bounds, packet(b"later\x01", flags=0xA0)) == b"later\x01"


def test_padding_once_proven_may_hold_anything() -> None:
    bounds = PayloadBounds()
    payload_of(bounds, packet(b"data\x00\x00\x03", flags=0xA0))
    assert bounds.padding is Padding.REAL
    assert payload_of(bounds, packet(b"data\x07\x07\x03", flags=0xA0)) == b"data"
    assert payload_of(bounds, packet(b"data\xff", flags=0xA0)) == b"data\xff"


@given(st.lists(st.binary(max_size=60), max_size=8))
def test_any_bytes_have_bounds_within_the_packet_or_none(packets: list[bytes]) -> None:
    bounds = PayloadBounds()
    for data in packets:
        start, stop = bounds.of(memoryview(data + bytes(32)), 0, len(data))
        assert (start, stop) == (-1, -1) or 12 <= start <= stop <= len(data)

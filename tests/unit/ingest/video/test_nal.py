"""NAL units of a byte stream: split at start codes, SEI messages whole, empty ones left out."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.video.nal import h264_kind, h265_kind, header_bytes, is_sei, split_annex_b, units_of

START = b"\x00\x00\x01"
SLICE = b"\x65\x88\x80"


@pytest.mark.parametrize(
    ("data", "units"),
    [
        (START + SLICE, [SLICE]),
        (b"\x00" + START + SLICE, [SLICE]),
        (START + b"\x67\x01" + START + b"\x68\x02", [b"\x67\x01", b"\x68\x02"]),
        (START + b"\x67\x01\x00\x00" + b"\x00" + START + b"\x68\x02", [b"\x67\x01", b"\x68\x02"]),
        (START + START + START + SLICE, [SLICE]),
        (SLICE, []),
        (b"", []),
    ],
)
def test_byte_stream_is_split_at_its_start_codes(data: bytes, units: list[bytes]) -> None:
    assert list(split_annex_b(data)) == units


def test_units_may_begin_without_a_start_code() -> None:
    assert units_of("h264", b"\x67\x01" + START + SLICE, 9) == [b"\x67\x01", SLICE]


@pytest.mark.parametrize("most", [0, 1, 2, 5])
def test_no_more_units_are_given_than_asked_for(most: int) -> None:
    assert len(units_of("h264", (START + SLICE) * 4, most)) == min(most, 4)


def test_sei_message_that_holds_a_start_code_is_one_unit() -> None:
    """As ONVIF Media Signing writes them: user data of 12 bytes, a start code among them, then the stop bit."""
    sei = b"\x06\x05\x0c" + b"\xaa\xbb" + START + b"\xcc" * 7 + b"\x80"
    assert units_of("h264", START + sei + START + SLICE, 9) == [sei, SLICE]


@given(st.binary(max_size=300), st.sampled_from(["h264", "h265"]))
def test_any_bytes_give_units_within_them(data: bytes, codec: str) -> None:
    units = units_of(codec, data, 1000)
    assert all(unit and not unit.endswith(b"\x00") for unit in units)
    assert sum(map(len, units)) <= len(data)


def test_kinds_lie_where_each_standard_has_them() -> None:
    assert [h264_kind(bytes([byte])) for byte in (0x65, 0x67, 0x06)] == [5, 7, 6]
    assert [h265_kind(bytes([byte, 1])) for byte in (0x26, 0x42, 0x4E)] == [19, 33, 39]
    assert (header_bytes("h264"), header_bytes("h265")) == (1, 2)
    assert [is_sei("h264", byte) for byte in (0x06, 0x66, 0x65)] == [True, True, False]
    assert [is_sei("h265", byte) for byte in (0x4E, 0x50, 0x4C, 0x52)] == [True, True, False, False]

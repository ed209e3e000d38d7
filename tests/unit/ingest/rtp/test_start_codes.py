"""NAL units that are byte streams, and those that hold a start code as data."""

from __future__ import annotations

import pytest

from ingest.rtp.start_codes import StartCodes
from ingest.video.nal import split_annex_b
from ingest.video.parameters import role_of
from tests.support.cameras.video import encoded

CODE = b"\x00\x00\x00\x01"
SPS, PPS, SLICE = b"\x67\x42\xc0\x1e\xd9", b"\x68\xcb\x8c\xb2", b"\x65\x88\x55\x55"


def split(nal: bytes, codes: StartCodes | None = None) -> list[bytes]:
    return (codes or StartCodes("h264")).split(nal, role_of("h264", nal))


def sei(data: bytes) -> bytes:
    return b"\x06\x05" + b"\xff" * (len(data) // 255) + bytes((len(data) % 255,)) + data + b"\x80"


def test_parameter_set_with_more_behind_it_is_a_byte_stream() -> None:
    codes = StartCodes("h264")
    assert split(SPS + CODE + PPS + b"\x00" + CODE + SLICE, codes) == [SPS, PPS, SLICE]
    assert codes.found


@pytest.mark.parametrize("behind", [b"\x15", b"\x00", b"\x21", b"\x41", b"\x67", b"\x65\x88"])
@pytest.mark.parametrize("size", [0, 300, 1000])
def test_start_code_within_a_message_is_data(behind: bytes, size: int) -> None:
    whole = sei(b"\x5a" * 16 + b"certificate" + CODE + behind + b"\x42" * size)
    codes = StartCodes("h264")
    assert split(whole, codes) == [whole]
    assert (codes.found, codes.doubtful) == (False, b"")


def test_start_code_behind_the_last_message_is_one() -> None:
    data = sei(b"\x5a" * 16 + b"signed" + CODE + b"\x41data")
    codes = StartCodes("h264")
    assert split(data + CODE + SLICE, codes) == [data, SLICE]
    assert codes.found


def test_in_a_byte_stream_messages_end_by_their_own_sizes() -> None:
    data = sei(b"\x5a" * 16 + b"signed" + CODE + b"\x41data")
    assert split(SPS + CODE + PPS + CODE + data + CODE + SLICE) == [SPS, PPS, data, SLICE]


@pytest.mark.parametrize("nal", [b"\x06\x05\xff\xff\x10\x01" + CODE + b"\x41\x9a", b"\x50vendor" + CODE + b"\x41\x9a"])
def test_what_cannot_be_told_is_left_whole_and_remembered(nal: bytes) -> None:
    codes = StartCodes("h264")
    assert split(nal, codes) == [nal]
    assert codes.doubtful == nal
    codes.found = True
    assert len(split(nal, codes)) == 2


def test_slices_are_searched_for_a_few_key_pictures_only() -> None:
    codes = StartCodes("h264")
    assert codes.searching
    for _ in range(3):
        codes.looked()
    assert not codes.searching
    codes.units(SPS + CODE + PPS)
    assert codes.searching


@pytest.mark.parametrize(("codec", "coder"), [("h264", "libx264"), ("h265", "libx265")])
def test_byte_streams_of_real_coders(codec: str, coder: str) -> None:
    (data, _, _), *_ = encoded(0.1, codec=coder)
    expected = list(split_annex_b(data))
    assert StartCodes(codec).units(data) == expected
    assert StartCodes(codec).units(data.lstrip(b"\x00")[1:]) == expected

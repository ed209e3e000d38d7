"""Bits and Exp-Golomb codes, by the tables of ITU-T H.264, 9.1."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.errors import StreamError
from ingest.video.bits import Bits, unescaped


def bits(text: str) -> Bits:
    padded = text.ljust(-(-len(text) // 8) * 8, "0")
    return Bits(int(padded, 2).to_bytes(len(padded) // 8, "big"))


@pytest.mark.parametrize(
    ("code", "unsigned", "signed"),
    [("1", 0, 0), ("010", 1, 1), ("011", 2, -1), ("00100", 3, 2), ("00101", 4, -2), ("0001000", 7, 4)],
)
def test_exp_golomb_codes_of_the_standard_s_table(code: str, unsigned: int, signed: int) -> None:
    assert bits(code).ue() == unsigned
    assert bits(code).se() == signed


@given(st.integers(0, (1 << 32) - 2))
def test_every_number_comes_back(number: int) -> None:
    text = f"{number + 1:b}"
    reader = bits("0" * (len(text) - 1) + text + "101")
    assert reader.ue() == number
    assert reader.u(3) == 0b101


def test_bits_are_read_from_the_front_up_to_the_last() -> None:
    reader = Bits(b"\xa5\x0f")
    assert [reader.u(4), reader.u(1), reader.u(3), reader.u(8), reader.u(0)] == [0xA, 0, 5, 0x0F, 0]
    with pytest.raises(StreamError, match="cut off"):
        reader.u(1)


@pytest.mark.parametrize(("data", "words"), [(b"\x00", "cut off"), (b"\x00" * 5, "damaged"), (b"\x01", "cut off")])
def test_code_without_an_end_is_an_error_of_the_stream(data: bytes, words: str) -> None:
    with pytest.raises(StreamError, match=words):
        Bits(data).ue()


@pytest.mark.parametrize(
    ("escaped", "plain"),
    [
        (b"\x00\x00\x03\x01", b"\x00\x00\x01"),
        (b"\x00\x00\x03\x00\x00\x03", b"\x00\x00\x00\x00"),
        (b"\x00\x03\x00\x00\x04", b"\x00\x03\x00\x00\x04"),
        (b"", b""),
    ],
)
def test_emulation_prevention_is_taken_out(escaped: bytes, plain: bytes) -> None:
    assert unescaped(escaped) == plain

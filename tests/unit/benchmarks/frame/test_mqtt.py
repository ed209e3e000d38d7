"""MQTT packets of the benchmarks' clients (MQTT 3.1.1, 1.5.3 and 2.2.3)."""

from __future__ import annotations

import pytest

from benchmarks.frame.mqtt import packet, text


def test_text_has_its_length_in_bytes_before_it() -> None:
    assert text("MQTT") == b"\x00\x04MQTT"
    assert text("ä") == b"\x00\x02\xc3\xa4"


@pytest.mark.parametrize(
    ("size", "length"),
    [
        *((0, b"\x00"), (127, b"\x7f"), (128, b"\x80\x01"), (16_383, b"\xff\x7f")),
        *((16_384, b"\x80\x80\x01"), (2_097_152, b"\x80\x80\x80\x01")),
    ],
)
def test_remaining_length_at_the_borders_of_the_specification(size: int, length: bytes) -> None:
    assert packet(0x30, bytes(size)) == b"\x30" + length + bytes(size)

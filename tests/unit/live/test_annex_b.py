"""NAL units behind start codes and behind lengths."""

from __future__ import annotations

from live.annex_b import annex_b, nal_units

DATA = b"\0\0\0\x02\x65x\0\0\0\x03\x41yz"


def test_lengths_become_start_codes() -> None:
    assert annex_b(DATA) == b"\0\0\0\x01\x65x\0\0\0\x01\x41yz"
    assert annex_b(DATA, (b"\x67",)) == b"\0\0\0\x01\x67\0\0\0\x01\x65x\0\0\0\x01\x41yz"
    assert annex_b(b"") == b""
    assert annex_b(b"\0\0\0\x09\x65x") == b"\0\0\0\x01\x65x"  # damaged: what is there


def test_start_codes_are_taken_off() -> None:
    assert nal_units(annex_b(DATA)) == [b"\x65x", b"\x41yz"]
    assert nal_units(b"\0\0\x01\x67a\0\0\0\x01\x68b\0\0\x01\x65c\0") == [b"\x67a", b"\x68b", b"\x65c"]
    assert nal_units(b"") == []

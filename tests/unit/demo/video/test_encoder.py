"""Annex B is split at both start codes."""

from __future__ import annotations

from demo.video.encoder import split_annex_b


def test_annex_b_splits_at_both_start_codes() -> None:
    assert split_annex_b(b"\x00\x00\x00\x01\x67\x01\x00\x00\x01\x68\x02\x00\x00\x00\x01\x65\x03") == [
        b"\x67\x01",
        b"\x68\x02",
        b"\x65\x03",
    ]

"""H.264 sequence parameter sets, as a camera sends them, cut off and changed."""

from __future__ import annotations

import pytest

from ingest.errors import StreamError
from ingest.video import h264

SPS = bytes.fromhex("6742c01ed903c56840000003004000000c03c58b92")  # constrained baseline, 240x160


def test_size_profile_and_level() -> None:
    sps = h264.parse_sps(SPS)
    assert (sps.width, sps.height) == (240, 160)
    assert sps.mime == "avc1.42c01e"
    assert sps.ident == 0


@pytest.mark.parametrize("size", range(1, 8))
def test_set_that_is_cut_off_is_refused(size: int) -> None:
    with pytest.raises(StreamError):
        h264.parse_sps(SPS[:size])


def test_every_changed_byte_gives_a_set_or_our_own_error() -> None:
    for at in range(1, len(SPS)):
        for value in (0, 0x55, 0xFF):
            changed = SPS[:at] + bytes((value,)) + SPS[at + 1 :]
            try:
                sps = h264.parse_sps(changed)
            except StreamError:
                continue
            assert 0 < sps.width <= 8192
            assert 0 < sps.height <= 8192


def test_idr_slices_only() -> None:
    assert h264.is_idr(b"\x65\x88")
    assert not h264.is_idr(b"\x41\x9a")

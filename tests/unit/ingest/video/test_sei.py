"""SEI NAL units: where they end, and recovery points."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.video import sei
from ingest.video.nal import split_annex_b
from tests.support.cameras.video import encoded

CODE = b"\x00\x00\x01"


@pytest.mark.parametrize("sizes", [[3], [0], [255], [256, 7], [600, 0, 1]])
@pytest.mark.parametrize("behind", [b"", CODE + b"\x65\x88", b"\x00" + CODE, b"\x00\x00\x00"])
@pytest.mark.parametrize(("head", "header_bytes"), [(b"\x06", 1), (b"\x4e\x01", 2)])
def test_unit_ends_behind_its_last_message(sizes: list[int], behind: bytes, head: bytes, header_bytes: int) -> None:
    messages = b"".join(b"\x05" + b"\xff" * (size // 255) + bytes((size % 255,)) + b"\x5a" * size for size in sizes)
    nal = head + messages + b"\x80"
    assert sei.end_of_unit(b"before" + nal + behind, 6, header_bytes) == 6 + len(nal)


@pytest.mark.parametrize(
    "nal", [b"\x06\x05\x09abc\x80", b"\x06\xff\xff", b"\x06" + b"\xff" * 99, b"\x06\x05\x01a\x80junk"]
)
def test_sizes_that_do_not_fit_tell_nothing(nal: bytes) -> None:
    assert sei.end_of_unit(nal, 0, 1) == -1


@given(st.binary(max_size=300))
def test_any_bytes_end_within_themselves_or_nowhere(data: bytes) -> None:
    assert -1 <= sei.end_of_unit(b"\x06" + data, 0, 1) <= len(data) + 1
    sei.recovery_frames("h264", b"\x06" + data)
    sei.recovery_frames("h265", b"\x4e\x01" + data)


def test_recovery_points_of_a_real_coder() -> None:
    """x264 with open groups of pictures: each later group begins with one, of no frames."""
    found = [
        frames
        for data, _, _ in encoded(4.0, fps=5, gop=5, b_frames=2, more=":open-gop=1:b-adapt=0")
        for nal in split_annex_b(data)
        if nal[0] & 31 == 6 and (frames := sei.recovery_frames("h264", nal)) is not None
    ]
    assert len(found) == 3
    assert set(found) == {0}


@pytest.mark.parametrize(
    ("codec", "nal", "frames"),
    [
        ("h264", b"\x06\x06\x01\xc4\x80", 0),
        ("h264", b"\x06\x06\x02\x0a\x40\x80", 19),  # ue: 0000 1010 0
        ("h265", b"\x4e\x01\x06\x01\x90\x80", 0),
        ("h265", b"\x4e\x01\x06\x01\x60\x80", 0),  # se: -1
        ("h265", b"\x4e\x01\x06\x01\x20\x80", 2),  # se: 00100 is 2
        ("h264", b"\x06\x01\x01\xc4\x06\x01\xc4\x80", 0),  # behind another message
        ("h264", b"\x06\x05\x01\xc4\x80", None),
        ("h264", b"\x06\x06", None),
    ],
)
def test_recovery_frames(codec: str, nal: bytes, frames: int | None) -> None:
    assert sei.recovery_frames(codec, nal) == frames

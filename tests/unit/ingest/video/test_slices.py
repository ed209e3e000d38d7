"""Facts from the first bytes of slices, H.264 and H.265."""

from __future__ import annotations

import pytest

from ingest.video import slices

SEI = b"\x06\x05\x01\x55\x80"


def unit(*nals: bytes) -> bytes:
    return b"".join(len(nal).to_bytes(4, "big") + nal for nal in nals)


def test_first_slice_is_found_behind_other_units_and_cut() -> None:
    slice_ = b"\x41\x9a" + b"\x55" * 100
    assert slices.first_slice("h264", unit(SEI, slice_, b"\x41\x40")) == slice_[: slices.HEAD_BYTES]
    assert slices.first_slice("h264", unit(SEI)) == b""
    assert slices.first_slice("h264", b"") == b""
    assert slices.first_slice("h264", unit(*[SEI] * 64, slice_)) == b""  # not near its start


@pytest.mark.parametrize(
    ("codec", "nal", "begins"),
    [
        ("h264", b"\x41\x9a", True),  # first_mb_in_slice is 0: its code is one set bit
        ("h264", b"\x41\x40", False),
        ("h264", b"\x41", False),
        ("h265", b"\x02\x01\x80", True),
        ("h265", b"\x02\x01\x40", False),
    ],
)
def test_first_slice_of_a_picture(codec: str, nal: bytes, begins: bool) -> None:
    assert slices.begins_picture(codec, nal) is begins


@pytest.mark.parametrize(
    ("head", "disposable"),
    [(b"\x01", True), (b"\x21", False), (b"\x61", False), (b"\x65", False), (b"\x06", False), (b"", False)],
)
def test_h264_picture_without_importance_is_disposable(head: bytes, disposable: bool) -> None:
    """nal_ref_idc of 0 (ITU-T H.264, 7.4.1); what is not a slice is no picture."""
    assert slices.is_disposable("h264", None, head) is disposable


@pytest.mark.parametrize(
    ("codec", "nal", "is_open"),
    [
        *(("h264", b"\x65\x88", False), ("h264", b"\x41\x9a", True)),
        *(("h265", b"\x26\x01", False), ("h265", b"\x28\x01", False), ("h265", b"\x2a\x01", True)),  # IDR, IDR, CRA
    ],
)
def test_open_groups_begin_with_anything_but_an_idr(codec: str, nal: bytes, is_open: bool) -> None:
    assert slices.is_open(codec, nal) is is_open


def test_order_of_pictures_is_unknown_without_an_sps() -> None:
    assert slices.follows(None, b"\x41\x9a", b"\x41\x9a") is None

"""Decoding and encoding in memory. ffprobe judges times and streams."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from masking.boxes import Box
from masking.errors import ClipRefusedError
from masking.fill import GREY, cut_from, paint
from masking.video import Clip, encode
from tests.support.films import decoded, film, probed, walker

UNEVEN = [900 + 9000 * number + (number % 3) * 1111 for number in range(24)]
_NEEDS_FFPROBE = pytest.mark.skipif(not shutil.which("ffprobe"), reason="ffmpeg is not installed")


def _masked(data: bytes, boxes: list[Box]) -> bytes:
    return encode(Clip(data), lambda _, planes: paint(planes, boxes))


@_NEEDS_FFPROBE
@pytest.mark.parametrize("codec", ["libx264", "libx265"])
def test_times_are_kept_to_the_tick_and_sound_is_gone(codec: str, tmp_path: Path) -> None:
    source = film(walker(24), UNEVEN, codec=codec, sound=True)
    before, times = probed(source, tmp_path)
    assert "aac" in before  # positive control
    streams, kept = probed(_masked(source, [Box(0, 0, 64, 64)]), tmp_path)
    assert streams == ["h264"]
    assert kept == times
    assert len(set(np.diff(kept))) > 1  # they are uneven indeed


def test_clips_that_differ_under_the_masks_alone_give_the_same_bytes() -> None:
    boxes = [Box(40, 60, 120, 140), Box(200, 0, 320, 50)]
    one = walker(8)
    other = [picture.copy() for picture in one]
    random = np.random.default_rng(1)
    for picture in other:
        for number, plane in enumerate(cut_from(picture, 320, 192)):
            for box in boxes:
                half = 2 if number else 1
                area = plane[box.top // half : box.bottom // half, box.left // half : box.right // half]
                area[...] = random.integers(16, 235, area.shape)
    first, second = (film(pictures, UNEVEN, lossless=True) for pictures in (one, other))
    assert any((a != b).any() for a, b in zip(decoded(first), decoded(second), strict=True))
    assert _masked(first, boxes) == _masked(second, boxes)
    assert _masked(first, boxes[:1]) != _masked(second, boxes[:1])  # control: a mask that is undone shows


def test_what_comes_out_is_grey_under_the_mask_and_the_room_elsewhere() -> None:
    source = film(walker(8), UNEVEN)
    for before, after in zip(decoded(source), decoded(_masked(source, [Box(64, 64, 128, 128)])), strict=True):
        assert abs(after[72:120, 72:120].astype(int) - GREY[0]).max() <= 3
        assert abs(after[:48].astype(int) - before[:48]).mean() < 8


def test_decoder_goes_on_from_its_own_pictures_not_from_painted_ones() -> None:
    """Only the first picture is masked: the others refer to what was there."""
    source = film(walker(8), UNEVEN)
    made = decoded(
        encode(Clip(source), lambda index, planes: paint(planes, [Box(0, 0, 320, 192)] if not index else []))
    )
    assert abs(made[0][:192].astype(int) - GREY[0]).max() <= 3
    assert abs(made[4].astype(int) - decoded(source)[4]).mean() < 8


@pytest.mark.parametrize(
    "data", [b"", b"no clip", film(walker(8), UNEVEN)[:900], film(walker(2), UNEVEN, codec="libvpx-vp9")]
)
def test_what_is_no_clip_is_refused_by_name(data: bytes) -> None:
    with pytest.raises(ClipRefusedError) as refused:
        _masked(data, [])
    assert refused.value.remedy


def test_bytes_that_are_damaged_end_in_our_error_or_in_pictures() -> None:
    source = bytearray(film(walker(24), UNEVEN))
    random = np.random.default_rng(2)
    for _ in range(40):
        damaged = bytearray(source)
        for at in random.integers(0, len(source), 30):
            damaged[at] ^= 0xFF
        try:
            _masked(bytes(damaged), [])
        except ClipRefusedError:
            continue


def test_picture_is_too_large(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("masking.video.PIXELS_MAX", 1000)
    with pytest.raises(ClipRefusedError, match="too large"):
        Clip(film(walker(2), UNEVEN))


def test_small_picture_keeps_its_shape_and_is_for_detection() -> None:
    wide: Any = next(Clip(film(walker(2, (640, 384)), UNEVEN)).frames())
    assert wide.small().shape == (192, 320, 3)
    assert wide.picture().shape == (384, 640, 3)

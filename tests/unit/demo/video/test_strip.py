"""The strip of time in each picture survives coding and scaling; a damaged one is refused."""

from __future__ import annotations

import av
import numpy as np
import pytest

from demo.video import strip
from demo.video.encoder import AccessUnit
from tests.support.cameras.strip_film import FRAME_NS, START_NS, film


def decode(units: list[AccessUnit]) -> list[np.ndarray]:
    decoder = av.CodecContext.create("h264", "r")
    frames = [frame for unit in units for frame in decoder.decode(av.Packet(unit.annex_b))]
    return [frame.to_ndarray(format="gray") for frame in frames + decoder.decode(None)]


@pytest.mark.parametrize(
    ("size", "bit_rate"),
    [((640, 360), 60_000), ((640, 360), 600_000), ((320, 180), 30_000), ((704, 576), 90_000), ((1280, 720), 250_000)],
)
def test_strip_survives_lossy_coding(size: tuple[int, int], bit_rate: int) -> None:
    pictures = decode(film(size, bit_rate, 40))
    expected = [((START_NS + index * FRAME_NS) // 1_000_000, 7) for index in range(40)]
    assert [strip.read(picture) for picture in pictures] == expected


def test_strip_read_from_a_picture_scaled_by_a_viewer() -> None:
    picture = np.full((360, 640), 90, np.uint8)
    strip.draw(picture, 1_795_000_000_120, 65535)
    assert strip.read(picture.repeat(3, axis=0).repeat(3, axis=1)) == (1_795_000_000_120, 65535)
    assert strip.read(picture[::2, ::2]) == (1_795_000_000_120, 65535)


def test_strip_vector_for_other_readers() -> None:
    """The bits of one strip, spelled out, so that a reader in another language can be held to them."""
    picture = np.zeros((360, 640), np.uint8)
    strip.draw(picture, 1_795_000_000_120, 3)
    rows = [
        "".join("#" if picture[8 + 16 * row, 8 + 16 * column] > 128 else "." for column in range(40)) for row in (0, 1)
    ]
    bits = "".join(rows).replace("#", "1").replace(".", "0")
    assert int(bits[:48], 2) == 1_795_000_000_120
    assert int(bits[48:64], 2) == 3
    assert f"{int(bits[64:], 2):04x}" == "4e04"


@pytest.mark.parametrize("column", range(0, 40, 3))
@pytest.mark.parametrize("row", [0, 1])
def test_strip_with_a_damaged_block_is_refused(row: int, column: int) -> None:
    picture = np.full((360, 640), 90, np.uint8)
    strip.draw(picture, 1_795_000_000_120, 3)
    block = picture[16 * row : 16 * row + 16, 16 * column : 16 * column + 16]
    block[:] = 255 - block
    assert strip.read(picture) is None
    block[:] = 128
    assert strip.read(picture) is None


@pytest.mark.parametrize("shade", [0, 16, 128, 235, 255])
def test_strip_of_an_even_picture_is_refused(shade: int) -> None:
    assert strip.read(np.full((360, 640), shade, np.uint8)) is None


def test_strip_of_a_picture_too_small_is_refused() -> None:
    assert strip.read(np.zeros((10, 10), np.uint8)) is None

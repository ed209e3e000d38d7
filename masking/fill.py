"""Paints masks: one grey for every sample of a box. Pure.

It cannot be undone: what is written does not depend on what was there, so that two pictures which differ inside the
masks alone become the same picture. Blur and mosaic keep averages of what they hide, and averages of many frames give
a face back; nothing is kept here, not even a colour.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Final

import numpy as np

from masking.boxes import Box

Plane = np.ndarray[tuple[int, ...], np.dtype[np.uint8]]
GREY: Final = (110, 128, 128)
"""Luma and both chroma samples (4:2:0), within the narrow range of values."""


def paint(planes: Sequence[Plane], boxes: Iterable[Box]) -> None:
    """Into the planes Y, U and V of a picture in 4:2:0. Boxes lie on even pixels and may reach beyond odd edges."""
    for box in boxes:
        for number, plane in enumerate(planes):
            halved = 2 if number else 1
            rows = slice(box.top // halved, -(-box.bottom // halved))
            columns = slice(box.left // halved, -(-box.right // halved))
            plane[rows, columns] = GREY[number]


def cut_from(buffer: Any, width: int, height: int) -> tuple[Plane, Plane, Plane]:
    """Views of Y, U and V in a buffer without padding, as ``to_ndarray(format="yuv420p")`` makes it. Sizes are even."""
    flat = buffer.reshape(-1)
    luma, half = width * height, width * height // 4
    return (
        flat[:luma].reshape(height, width),
        flat[luma : luma + half].reshape(height // 2, width // 2),
        flat[luma + half : luma + 2 * half].reshape(height // 2, width // 2),
    )

"""People as simple shapes: a head, a body, two legs that swing."""

from __future__ import annotations

from functools import lru_cache
from typing import Final

import numpy as np

from demo.video.canvas import Canvas, Colour
from demo.video.strip import Plane

_HEAD: Final = 1
_BODY: Final = 2
_LEGS: Final = 3
_SKIN: Final = Colour(165, 112, 150)
_TROUSERS: Final = Colour(45, 132, 126)
_STRIDE: Final = (0.10, 0.04, -0.04, 0.04)


def draw_person(canvas: Canvas, middle: int, feet: int, tall: int, step: int, clothes: Colour) -> None:
    """Standing on row ``feet`` around column ``middle``; cut off at the canvas' edges."""
    shape = _shape(max(8, tall - tall % 4), step % len(_STRIDE))
    top, left = (feet - shape.shape[0]) // 2 * 2, (middle - shape.shape[1] // 2) // 2 * 2
    rows = slice(max(0, top), max(0, min(canvas.luma.shape[0], top + shape.shape[0])))
    columns = slice(max(0, left), max(0, min(canvas.luma.shape[1], left + shape.shape[1])))
    cut = shape[rows.start - top : rows.stop - top, columns.start - left : columns.stop - left]
    if rows.stop <= rows.start or columns.stop <= columns.start:
        return
    half_rows, half_columns = _half(rows), _half(columns)
    small = cut[::2, ::2][: half_rows.stop - half_rows.start, : half_columns.stop - half_columns.start]
    for plane, mask, values, where in (
        (canvas.luma, cut, (0, _SKIN.y, clothes.y, _TROUSERS.y), (rows, columns)),
        (canvas.u, small, (0, _SKIN.u, clothes.u, _TROUSERS.u), (half_rows, half_columns)),
        (canvas.v, small, (0, _SKIN.v, clothes.v, _TROUSERS.v), (half_rows, half_columns)),
    ):
        target = plane[where][: mask.shape[0], : mask.shape[1]]
        np.copyto(target, np.array(values, np.uint8)[mask], where=mask > 0)


def _half(span: slice) -> slice:
    return slice(span.start // 2, span.stop // 2)


@lru_cache(maxsize=512)
def _shape(tall: int, step: int) -> Plane:
    """0 where nothing is, else which part. Shared: not to be written to."""
    wide = max(4, tall * 2 // 5 // 2 * 2)
    y, x = np.mgrid[0:tall, 0:wide]
    y, x = y / tall, (x - wide / 2) / tall
    shape = np.zeros((tall, wide), np.uint8)
    swing = _STRIDE[step] * (y - 0.55) / 0.45
    shape[(y > 0.55) & ((abs(x - swing) < 0.05) | (abs(x + swing) < 0.05))] = _LEGS
    shape[((y - 0.38) / 0.23) ** 2 + (x / 0.14) ** 2 < 1] = _BODY
    shape[((y - 0.09) / 0.09) ** 2 + (x / 0.075) ** 2 < 1] = _HEAD
    return shape

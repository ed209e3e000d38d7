"""Pictures that carry their number in blocks of black and white, all over: a smeared one is told from a whole one.

The top is the strip of ``demo/video/strip.py`` with the number where the time would be. Below it are blocks that change
one after the other, each every PERIOD pictures: most of a picture is taken over from those that it refers to, so that
a picture decoded without them shows old blocks.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from demo.video import strip

Plane = npt.NDArray[np.uint8]
COLUMNS: Final = 20
ROWS: Final = 10
PERIOD: Final = 40
_BLACK: Final = 16
_WHITE: Final = 235
_ODD: Final = 0x9E3779B1


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """What a judge was shown. number: None when it is not legible or nothing was shown; note: why."""

    number: int | None
    smeared: bool = False
    note: str = ""


NOTHING: Final = Look(number=None, note="nothing was shown")


def draw(number: int, size: tuple[int, int]) -> Plane:
    """The luma plane, rows by columns, of (width, height)."""
    width, height = size
    picture = np.zeros((height, width), np.uint8)
    top = strip.height(width)
    tall, wide = _edges(ROWS, height - top) + top, _edges(COLUMNS, width)
    shades = np.where(_bits(number), np.uint8(_WHITE), np.uint8(_BLACK))
    picture[top:] = np.repeat(np.repeat(shades, np.diff(tall), axis=0), np.diff(wide), axis=1)
    strip.draw(picture, number, 0)
    return picture


def read(luma: Plane) -> Look:
    """A picture of any size."""
    found = strip.read(luma)
    if found is None:
        return Look(number=None, smeared=True, note="its number is not legible")
    number = found[0]
    wrong = int(np.count_nonzero(_shades(luma) != np.where(_bits(number), 1, 0)))
    return Look(number=number, smeared=wrong > 0, note=f"{wrong} blocks are of another picture" if wrong else "")


def _bits(number: int) -> npt.NDArray[np.bool_]:
    """Which blocks are white."""
    block = np.arange(ROWS * COLUMNS, dtype=np.uint64)
    turn = (np.uint64(number) + block * np.uint64(7)) // np.uint64(PERIOD)
    mixed = (turn * np.uint64(_ODD) ^ (block + np.uint64(1)) * np.uint64(0x85EBCA6B)) * np.uint64(_ODD)
    bits: npt.NDArray[np.bool_] = ((mixed >> np.uint64(29)) & np.uint64(1)).astype(bool).reshape(ROWS, COLUMNS)
    return bits


def _shades(luma: Plane) -> npt.NDArray[np.int64]:
    """0 and 1 of each block's middle; -1 where it is neither black nor white."""
    height, width = luma.shape
    top = strip.height(width)
    tall, wide = _edges(ROWS, height - top) + top, _edges(COLUMNS, width)
    found = np.full((ROWS, COLUMNS), -1, np.int64)
    for row in range(ROWS):
        for column in range(COLUMNS):
            middle = luma[_middle(tall, row), _middle(wide, column)]
            dark, light = bool((middle < 96).mean() > 0.9), bool((middle > 160).mean() > 0.9)
            found[row, column] = 0 if dark else 1 if light else -1
    return found


def _middle(edges: npt.NDArray[np.int64], place: int) -> slice:
    start, end = int(edges[place]), int(edges[place + 1])
    return slice(start + (end - start) // 4, end - (end - start) // 4)


def _edges(count: int, length: int) -> npt.NDArray[np.int64]:
    return np.round(np.arange(count + 1) * length / count).astype(np.int64)

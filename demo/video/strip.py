"""A strip of blocks along the top edge that a program reads: when and where a picture was made.

How to read it, in any language, at any size of the picture:

1. A block is a square, W/40 pixels wide in a picture W pixels wide (16 at 640). There are 40 blocks in a row and two
   rows: the strip is the top 2 * W/40 pixels of the picture. W/40 may be a fraction; block c of row r covers
   x from c*W/40 to (c+1)*W/40 and y from r*W/40 to (r+1)*W/40.
2. Take the mean brightness (0..255; from a canvas, the green channel will do) of the middle half of every block, in
   both directions. Below 96 is a 0 (black), above 160 is a 1 (white). Anything else: there is no readable strip.
3. Row 0 from left to right, then row 1 from left to right, give 80 bits, most significant first:
   48 bits UTC Unix milliseconds, 16 bits camera number, 16 bits checksum.
4. The checksum is CRC-16/CCITT-FALSE (polynomial 0x1021, start 0xFFFF, nothing reflected, no final xor; the ASCII
   digits 123456789 give 0x29B1) over the 8 bytes before it: 6 of the time, 2 of the camera, big-endian. A wrong
   checksum: there is no readable strip.

Blocks are much larger than what a lossy coder rounds away, and 16-pixel blocks at 640 fall on its macroblocks.
"""

from __future__ import annotations

import binascii
from typing import Final

import numpy as np
import numpy.typing as npt

Plane = npt.NDArray[np.uint8]

COLUMNS: Final = 40
ROWS: Final = 2
_BITS: Final = COLUMNS * ROWS
_BLACK: Final = 16
_WHITE: Final = 235
_SURELY_BLACK: Final = 96
_SURELY_WHITE: Final = 160


def height(width: int) -> int:
    """Pixels of the strip in a picture ``width`` pixels wide."""
    return round(ROWS * width / COLUMNS)


def draw(picture: Plane, time_ms: int, camera: int) -> None:
    """Over the top of a luma (or grey) plane, rows by columns, at least 320 wide."""
    body = time_ms.to_bytes(6, "big") + camera.to_bytes(2, "big")
    code = body + binascii.crc_hqx(body, 0xFFFF).to_bytes(2, "big")
    bits = np.unpackbits(np.frombuffer(code, np.uint8)).reshape(ROWS, COLUMNS)
    shades = np.where(bits, np.uint8(_WHITE), np.uint8(_BLACK))
    edges = _edges(COLUMNS, picture.shape[1])
    tops = _edges(ROWS, height(picture.shape[1]))
    for row in range(ROWS):
        picture[tops[row] : tops[row + 1]] = np.repeat(shades[row], np.diff(edges))


def read(luma: Plane) -> tuple[int, int] | None:
    """(time_ms, camera), or None where there is no strip or it is damaged."""
    if luma.ndim != 2 or luma.shape[1] < 2 * COLUMNS or luma.shape[0] < height(luma.shape[1]):
        return None
    block = luma.shape[1] / COLUMNS
    means = np.array([_middle(luma, block, *divmod(place, COLUMNS)) for place in range(_BITS)])
    if np.any((means >= _SURELY_BLACK) & (means <= _SURELY_WHITE)):
        return None
    code = np.packbits(means > _SURELY_WHITE).tobytes()
    body, check = code[:8], int.from_bytes(code[8:], "big")
    if binascii.crc_hqx(body, 0xFFFF) != check:
        return None
    return int.from_bytes(body[:6], "big"), int.from_bytes(body[6:], "big")


def _edges(count: int, length: int) -> npt.NDArray[np.int64]:
    return np.round(np.arange(count + 1) * length / count).astype(np.int64)


def _middle(luma: Plane, block: float, row: int, column: int) -> float:
    """Mean of the middle half of one block."""
    top, bottom = int((row + 0.25) * block), max(int((row + 0.75) * block), int((row + 0.25) * block) + 1)
    left, right = int((column + 0.25) * block), max(int((column + 0.75) * block), int((column + 0.25) * block) + 1)
    return float(luma[top:bottom, left:right].mean())

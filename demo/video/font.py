"""A small bitmap font, 5 by 7 in a cell of 6 by 8, for the clock that a person reads."""

from __future__ import annotations

from functools import lru_cache
from typing import Final

import numpy as np

from demo.video.strip import Plane

CELL_WIDTH: Final = 6
CELL_HEIGHT: Final = 8
INK: Final = 230
PAPER: Final = 24

# Seven rows per sign, two hexadecimal digits each; the low five bits are the pixels, leftmost highest.
_SIGNS: Final = {
    "0": "0E11131519110E",
    "1": "040C040404040E",
    "2": "0E11010204081F",
    "3": "1F02040201110E",
    "4": "02060A121F0202",
    "5": "1F101E0101110E",
    "6": "0608101E11110E",
    "7": "1F010204080808",
    "8": "0E11110E11110E",
    "9": "0E11110F01020C",
    "A": "0E11111F111111",
    "B": "1E11111E11111E",
    "C": "0E11101010110E",
    "D": "1C12111111121C",
    "E": "1F10101E10101F",
    "F": "1F10101E101010",
    "G": "0E11101711110F",
    "H": "1111111F111111",
    "I": "0E04040404040E",
    "J": "0702020202120C",
    "K": "11121418141211",
    "L": "1010101010101F",
    "M": "111B1515111111",
    "N": "11111915131111",
    "O": "0E11111111110E",
    "P": "1E11111E101010",
    "Q": "0E11111115120D",
    "R": "1E11111E141211",
    "S": "0F10100E01011E",
    "T": "1F040404040404",
    "U": "1111111111110E",
    "V": "11111111110A04",
    "W": "1111111515150A",
    "X": "11110A040A1111",
    "Y": "1111110A040404",
    "Z": "1F01020408101F",
    "Å": "040A0E111F1111",
    "Ä": "0A000E111F1111",
    "Ö": "0A000E1111110E",
    "-": "0000001F000000",
    ".": "00000000000C0C",
    ":": "000C0C000C0C00",
    "/": "00010204081000",
    " ": "00000000000000",
}
_UNKNOWN: Final = "1F11111111111F"


@lru_cache(maxsize=512)
def _cell(sign: str, scale: int) -> Plane:
    """One cell of ``scale`` times 8 by ``scale`` times 6 pixels. Shared: not to be written to."""
    rows = bytes.fromhex(_SIGNS.get(sign, _UNKNOWN))
    cell = np.full((CELL_HEIGHT, CELL_WIDTH), PAPER, np.uint8)
    for y, row in enumerate(rows):
        for x in range(5):
            if row >> (4 - x) & 1:
                cell[y, x] = INK
    return cell.repeat(scale, axis=0).repeat(scale, axis=1)


def text(words: str, scale: int) -> Plane:
    """``words`` in one line of capitals, ``scale`` times 8 pixels high."""
    return np.concatenate([_cell(sign, scale) for sign in words.upper()], axis=1)

"""A QR code in letters: half blocks, two rows of it a line."""

from __future__ import annotations

import segno

_QUIET = 4  # ISO/IEC 18004: the free border around it
_SIGNS = {(False, False): " ", (True, False): "▀", (False, True): "▄", (True, True): "█"}


def qr_lines(text: str, *, inverted: bool) -> list[str]:
    """``inverted``: what is light is drawn, for light letters on a dark terminal; paper takes the other."""
    matrix = [[cell > 0 for cell in row] for row in segno.make(text, error="m", micro=False).matrix]
    side = len(matrix) + 2 * _QUIET
    empty = [False] * side
    rows = (
        [empty] * _QUIET + [[*empty[:_QUIET], *row, *empty[:_QUIET]] for row in matrix] + [empty] * (_QUIET + side % 2)
    )
    return [
        "".join(_SIGNS[above ^ inverted, below ^ inverted] for above, below in zip(*pair, strict=True))
        for pair in zip(rows[::2], rows[1::2], strict=True)
    ]

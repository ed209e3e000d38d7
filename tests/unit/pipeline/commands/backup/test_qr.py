"""The QR code in letters is the one that the library drew."""

from __future__ import annotations

import pytest
import segno

from pipeline.commands.backup.qr import qr_lines
from storage.backup import RecoveryKey

TEXT = RecoveryKey(bytes(range(32))).text()


def cells(lines: list[str]) -> list[list[bool]]:
    """Whether each is drawn."""
    rows = []
    for line in lines:
        rows.append([sign in "▀█" for sign in line])
        rows.append([sign in "▄█" for sign in line])
    return rows


@pytest.mark.parametrize("text", [TEXT, "x"])
def test_letters_are_the_code_with_its_border(text: str) -> None:
    wanted = [[cell > 0 for cell in row] for row in segno.make(text, error="m", micro=False).matrix]
    drawn = cells(qr_lines(text, inverted=False))
    size = len(wanted)
    assert [row[4 : 4 + size] for row in drawn[4 : 4 + size]] == wanted
    assert sum(map(sum, drawn)) == sum(map(sum, wanted))  # nothing in the border
    inverse = cells(qr_lines(text, inverted=True))
    assert inverse == [[not cell for cell in row] for row in drawn]

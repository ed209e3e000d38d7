"""Cells of a CSV file that a spreadsheet would calculate: made text by an apostrophe, and read back. Pure."""

from __future__ import annotations

import re
from typing import Final

_BEGINS: Final = r"(^|[;|\n])('*[=+\-@＝＋－＠\t\r])"
"""Where a cell begins that a spreadsheet would calculate. Behind a semicolon, too, which separates cells where a comma
is the decimal sign, whatever the quotes say. With apostrophes in front, so that reading takes off exactly one."""
_FORMULA: Final = re.compile(_BEGINS)
_GUARDED: Final = re.compile(_BEGINS.replace("('*", "'('*"))


def guarded(text: str) -> str:
    """Return ``text`` as no spreadsheet calculates it."""
    return _FORMULA.sub(r"\1'\2", text)


def plain(text: str) -> str:
    """Undo ``guarded``."""
    return _GUARDED.sub(r"\1\2", text)

"""Texts from outside, made fit for terminals, logs, mail headers and messages. This is the one place that does it."""

from __future__ import annotations

import unicodedata
from typing import Final

_JOINERS: Final = "\u200c\u200d"  # join letters and emoji in names; they turn and hide nothing


def printable(text: str) -> str:
    """On one line, and without signs that act on what shows them: escapes, controls, marks that turn text around.

    A blank of any kind becomes a space, a line end too; every other such sign U+FFFD.
    """
    if text.isprintable():
        return text
    return "".join(sign if sign.isprintable() or sign in _JOINERS else _instead(sign) for sign in text)


def _instead(sign: str) -> str:
    blank = sign.isspace() or unicodedata.category(sign)[0] == "Z"
    return " " if blank else "\N{REPLACEMENT CHARACTER}"

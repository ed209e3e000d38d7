"""Finds the kinds of events that a query names: "held open", "evätyt", "alaikäinen". Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from domain.access import EventKind
from storage.access import fold

# Folded: without case and accents. Finnish bends them: evätty, evätyt, evättyjä, evättiin.
_KINDS: Final = (
    (EventKind.HELD_OPEN, r"(?:held|propped|left|kept) open|pide\w+ auki|auki pide\w+|ja(?:i|tetty|tettiin) auki"),
    (EventKind.FORCED_OPEN, r"forced(?: open)?|broken open|murret\w+(?: auki)?|murtau?\w+|vakisin(?: auki)?"),
    (EventKind.DENIED, r"denied|denials?|refused|refusals?|rejected|eva(?:t\w+|ys|ykset)|hyla(?:t\w+|ys|ykset)"),
    (
        EventKind.NOT_ENTERED,
        r"did(?: not|n.?t) (?:go|come|walk) in|not entered|ei (?:kulkenut|mennyt|tullut)(?: sisaan)?",
    ),
)
_MINORS: Final = r"minors?|under-?age|alaikai\w+"
_CLOSE: Final = r"tailgat\w+|close openings?|perakkai\w+(?: avau\w+)?"


@dataclass(frozen=True, slots=True, kw_only=True)
class KindWords:
    """What a query says of the kind of events, and the words left over, folded."""

    kinds: tuple[EventKind, ...]
    minors: bool
    close: bool
    rest: str

    def __bool__(self) -> bool:
        return bool(self.kinds or self.minors or self.close)


def parse_kind_words(text: str) -> KindWords:
    """Take the words for kinds of events out of ``text``. Try it only when the whole text finds no member."""
    rest = fold(text)
    kinds = []
    for kind, pattern in _KINDS:
        taken = _without(rest, pattern)
        if taken != rest:
            kinds.append(kind)
            rest = taken
    later = _without(rest, _MINORS)
    left = _without(later, _CLOSE)
    return KindWords(kinds=tuple(kinds), minors=later != rest, close=left != later, rest=left)


def _without(text: str, pattern: str) -> str:
    return " ".join(re.sub(rf"(?<!\S)[\"'(“”]?(?:{pattern})[?!.,;:\"')“”]?(?!\S)", " ", text).split())

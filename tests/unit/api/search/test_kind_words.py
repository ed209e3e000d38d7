"""Words for kinds of events in both languages; other words stay."""

from __future__ import annotations

import pytest

from api.search.kind_words import KindWords, parse_kind_words
from domain.access import EventKind

HELD, FORCED, DENIED, NOT = EventKind.HELD_OPEN, EventKind.FORCED_OPEN, EventKind.DENIED, EventKind.NOT_ENTERED


@pytest.mark.parametrize(
    ("text", "kinds", "rest"),
    [
        ("pidetty auki", [HELD], ""),
        ("Pidetyt auki pääovi", [HELD], "paaovi"),
        ("pidettiin auki", [HELD], ""),
        ("held open", [HELD], ""),
        ("evätty", [DENIED], ""),
        ("evätyt Virtanen", [DENIED], "virtanen"),
        ("denied or refused", [DENIED], "or"),
        ("murrettu auki", [FORCED], ""),
        ("forced open?", [FORCED], ""),
        ("ei kulkenut sisään", [NOT], ""),
        ("didn't go in", [NOT], ""),
        ("“held open” denied", [HELD, DENIED], ""),
        ("Eva Aukia", [], "eva aukia"),
        ("open", [], "open"),
    ],
)
def test_kinds_are_found_in_both_languages(text: str, kinds: list[EventKind], rest: str) -> None:
    assert parse_kind_words(text) == KindWords(kinds=tuple(kinds), minors=False, close=False, rest=rest)
    assert bool(parse_kind_words(text)) == bool(kinds)


@pytest.mark.parametrize(
    ("text", "minors", "close"),
    [
        ("alaikäinen", True, False),
        ("alaikäiset", True, False),
        ("minors", True, False),
        ("peräkkäin", False, True),
        ("peräkkäiset avaukset", False, True),
        ("tailgating", False, True),
        ("Minorsson", False, False),
    ],
)
def test_minors_and_openings_close_upon_one_another(text: str, minors: bool, close: bool) -> None:
    found = parse_kind_words(text)
    assert (found.minors, found.close, found.kinds) == (minors, close, ())
    assert bool(found) == (found.rest == "")

"""Fillers of whole questions are taken out; names, signs and order stay."""

from __future__ import annotations

import pytest

from api.search.plain_words import without_fillers


@pytest.mark.parametrize(
    ("text", "kept", "left_out"),
    [
        ("who let a second person in", "", "who let a second person in"),
        ("Show me Virtanen, please!", "Virtanen please", "Show me"),
        ("kuka päästi Matin sisään?", "Matin", "kuka päästi sisään"),
        ("1042", "1042", ""),
        ('"?!"', "", ""),
        ("", "", ""),
        ("Anders O'Neil", "Anders O'Neil", ""),
    ],
)
def test_fillers_are_left_out_in_both_languages(text: str, kept: str, left_out: str) -> None:
    assert without_fillers(text) == (kept, left_out)

"""Numbers from a command line."""

from __future__ import annotations

import argparse

import pytest

from domain.arguments import number, whole


@pytest.mark.parametrize(("text", "expected"), [("1", 1), ("7", 7), ("10", 10)])
def test_what_lies_within_is_taken(text: str, expected: int) -> None:
    assert whole(1, 10)(text) == expected
    assert number(0.5)(text) == expected


@pytest.mark.parametrize(
    ("text", "words"),
    [("0", "too small: 1 to 10"), ("11", "too large: 1 to 10"), ("x", "not a whole"), ("1.5", "not a whole")],
)
def test_what_does_not_is_named(text: str, words: str) -> None:
    with pytest.raises(argparse.ArgumentTypeError, match=words):
        whole(1, 10)(text)


@pytest.mark.parametrize(("text", "words"), [("0.4", "0.5 at least"), ("nan", "not a number"), ("inf", "not a number")])
def test_a_number_is_finite_and_large_enough(text: str, words: str) -> None:
    with pytest.raises(argparse.ArgumentTypeError, match=words):
        number(0.5)(text)

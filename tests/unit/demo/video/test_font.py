"""The clock's letters: one cell a sign, capitals, and something to see for a sign that there is none of."""

from __future__ import annotations

import numpy as np
import pytest

from demo.video.font import CELL_HEIGHT, CELL_WIDTH, INK, PAPER, text


@pytest.mark.parametrize("scale", [1, 3])
def test_line_has_a_cell_for_each_sign(scale: int) -> None:
    assert text("12:30", scale).shape == (CELL_HEIGHT * scale, 5 * CELL_WIDTH * scale)
    assert set(np.unique(text("ABC", scale))) == {INK, PAPER}


def test_every_digit_looks_different_and_a_blank_is_blank() -> None:
    assert len({text(str(digit), 1).tobytes() for digit in range(10)}) == 10
    assert set(np.unique(text(" ", 1))) == {PAPER}


def test_small_letters_are_capitals_and_unknown_signs_a_box() -> None:
    assert np.array_equal(text("äb", 1), text("ÄB", 1))
    assert np.array_equal(text("門", 1), text("?", 1))
    assert INK in text("門", 1)


def test_scaled_letters_are_the_same_letters() -> None:
    assert np.array_equal(text("A", 3)[::3, ::3], text("A", 1))

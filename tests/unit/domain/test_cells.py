"""Cells that a spreadsheet would take for a formula."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.cells import guarded, plain


@given(st.text(st.sampled_from("'=+-@;|\n\ta1 ＝")))
def test_guarded_cell_comes_back_as_it_was_and_begins_no_formula(text: str) -> None:
    assert plain(guarded(text)) == text
    for cell in guarded(text).replace("|", ";").replace("\n", ";").split(";"):
        assert not cell.startswith(("=", "+", "-", "@", "＝", "\t"))


@pytest.mark.parametrize("text", ["=1+1", "@SUM(A1)", "-x", "+cmd|' /C calc'!A0", "'=1", "-", "+358401234567"])
def test_formula_becomes_text(text: str) -> None:
    assert guarded(text).startswith(f"'{text[0]}")


@pytest.mark.parametrize("text", ["Aino", "", "o'clock", "'quoted'", "a=b", "1-2"])
def test_what_is_no_formula_stays_as_it_is(text: str) -> None:
    assert guarded(text) == text

"""The register as CSV: what a spreadsheet would take for a formula, and lines that contradict one another."""

from __future__ import annotations

import csv
import io
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storage.register import Field
from storage.register.table import Row, check_rows, guarded, plain

TODAY = date(2026, 11, 29)


@given(st.text())
def test_guarded_cell_comes_back_as_it_was_and_begins_no_formula(text: str) -> None:
    assert plain(guarded(text)) == text
    assert not guarded(text).startswith(("=", "@", "\t", "\r"))


@pytest.mark.parametrize("text", ["=1+1", "@SUM(A1)", "-x", "+cmd|' /C calc'!A0", "'=1", "-"])
def test_formula_becomes_text(text: str) -> None:
    assert guarded(text) == f"'{text}"


@pytest.mark.parametrize("text", ["+358401234567", "-5", "Aino", "", "o'clock", "'quoted'"])
def test_what_is_no_formula_stays_as_it_is(text: str) -> None:
    assert guarded(text) == text


def test_rows_are_checked_and_those_of_one_member_joined() -> None:
    rows = [
        Row(line=2, number="1", values={"email": "A@Example.org", "phone": "040 123456"}),
        Row(line=3, number="1", values={"email": "A@example.ORG", "member_from": "2026-01-01"}),
        Row(line=4, number="2", values={"other": "'=1"}),
    ]
    good, wrong = check_rows(rows, TODAY)
    assert wrong == []
    assert {row.number: dict(row.values) for row in good} == {
        "1": {"email": "A@example.org", "phone": "040123456", "member_from": "2026-01-01"},
        "2": {"other": "=1"},
    }


def test_wrong_and_contradicting_values_are_named_by_line_and_column() -> None:
    rows = [
        Row(line=2, number="1", values={"email": "a@example.org", "birth_date": "1.2.2003"}),
        Row(line=3, number="1", values={"email": "b@example.org"}),
    ]
    _, wrong = check_rows(rows, TODAY)
    assert [(line, exc.field) for line, exc in wrong] == [(2, Field.BIRTH_DATE), (3, Field.EMAIL)]
    assert not any("example" in str(exc) or "2003" in str(exc) for _, exc in wrong)


def test_cells_survive_the_csv_reader() -> None:
    out = io.StringIO(newline="")
    csv.writer(out, lineterminator="\r\n").writerow([guarded('=a"b'), "x\ny"])
    assert [plain(cell) for cell in next(csv.reader(io.StringIO(out.getvalue(), newline="")))] == ['=a"b', "x\ny"]

"""The register as CSV: cells of lists that come back, and lines that contradict one another."""

from __future__ import annotations

import csv
import io
from datetime import date

from domain.cells import guarded, plain
from storage.register import Field
from storage.register.table import Row, check_rows

TODAY = date(2026, 11, 29)


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

"""Entries as CSV, read back by the standard library; a spreadsheet takes nothing for a formula."""

from __future__ import annotations

import csv
import io
from typing import Any
from uuid import UUID

import pytest

from api.audit.reading import AuditEntryAnswer
from api.audit.table import COLUMNS, table


def entry(**changes: Any) -> AuditEntryAnswer:
    values: dict[str, Any] = dict.fromkeys(AuditEntryAnswer.model_fields)
    values |= {"seq": 7, "at": "2026-11-22T06:31:00.000Z", "actor": "staff:1", "action": "find", "detail": {}}
    return AuditEntryAnswer(**values | changes)


def read(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


def test_row_has_every_column_and_nothing_is_lost() -> None:
    reason = 'Two, "persons"\nat the door; Ä'
    (row,) = read(table([entry(name="Anna", reason=reason, session=UUID(int=3), detail={"results": 2, "members": []})]))
    assert tuple(row) == COLUMNS
    assert (row["seq"], row["who"], row["reason"], row["session"]) == ("7", "Anna", reason, str(UUID(int=3)))
    assert (row["detail"], row["camera"]) == ('{"members": [], "results": 2}', "")


def test_who_is_not_staff_by_name_is_named_as_on_record() -> None:
    (row,) = read(table([entry(actor="operator")]))
    assert row["who"] == "operator"


@pytest.mark.parametrize("typed", ["=1+1", "+1", "-1", "@sum", "\t=1", "\r=1"])
def test_cell_is_no_formula(typed: str) -> None:
    (row,) = read(table([entry(reason=typed)]))
    assert row["reason"] == f"'{typed}"


@pytest.mark.parametrize(
    ("typed", "safe"),
    [
        ("x;=1+1", "x;'=1+1"),
        ("x;-1;+2;@a", "x;'-1;'+2;'@a"),
        ("x\n=1", "x\n'=1"),
        ("\uff1d1", "'\uff1d1"),
        ("a; b=c - d", "a; b=c - d"),
    ],
)
def test_cell_is_no_formula_where_another_sign_separates_cells(typed: str, safe: str) -> None:
    """A spreadsheet in Finnish splits at semicolons, in the middle of what is one cell here."""
    (row,) = read(table([entry(reason=typed, name=typed, camera=typed, member_number=typed)]))
    assert [row[each] for each in ("reason", "who", "camera", "member_number")] == [safe] * 4

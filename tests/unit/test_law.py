"""docs/LAW.md: a row for every rule, each naming tests that exist, or saying "not yet"."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.support import pages
from tests.support.pages import LAW, ROOT, is_named, missing, rows

RULES = ROOT.parent / "shared" / "design" / "law.md"


def test_every_test_that_the_page_names_exists() -> None:
    assert missing(LAW) == []


def test_test_that_does_not_exist_is_found(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(
        "| a | b | `tests/unit/test_law.py::test_no_such` `tests/unit/no_such.py`"
        " `tests/unit/test_law.py::test_every_test_that_the_page_names_exists` |\n"
    )
    assert missing(page) == ["tests/unit/test_law.py::test_no_such", "tests/unit/no_such.py"]


def test_every_row_names_a_test_or_says_not_yet() -> None:
    found = rows(LAW)
    assert {len(cells) for cells in found} == {3}
    assert [cells[0] for cells in found if "`tests/" not in cells[2] and cells[2] != "not yet"] == []
    silent = [cells[0] for cells in found if cells[2] == "not yet" and "not yet" not in cells[1]]
    assert silent == []


@pytest.mark.skipif(not RULES.is_file(), reason="needs ../shared, which users do not have")
def test_every_rule_of_the_design_has_a_row() -> None:
    wanted = [line.split("|")[1].strip() for line in RULES.read_text().splitlines() if line.startswith("| ")][1:]
    there = " ".join(cells[0] for cells in rows(LAW))
    numbers = {number for rule in wanted for number in re.findall(r"\b\d+(?:/\d{4})?\b", rule)}
    assert {number for number in numbers if not re.search(rf"\b{number}\b", there)} == set()
    words = [rule.split()[0].strip(",") for rule in wanted if not re.search(r"\d", rule)]
    assert [word for word in words if word not in there] == []
    assert len(wanted) > 15


def test_markers_run_exactly_what_their_page_names() -> None:
    assert is_named(LAW, "tests/unit/paper/kinds/test_record.py::test_anything[fi]")
    assert is_named(LAW, "tests/integration/api/test_staff.py::test_member_is_told_when_and_why_but_not_who")
    assert not is_named(LAW, "tests/integration/api/test_staff.py::test_roles_change_at_once")
    assert pages.MARKERS["law"] == LAW

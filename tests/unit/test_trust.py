"""docs/TRUST.md: every fault and every bad input has a test, and every test that it names is there."""

from __future__ import annotations

import re

from tests.support.pages import TRUST, is_named, missing

FAULTS, INPUTS = 15, 25


def test_every_test_that_the_page_names_exists() -> None:
    assert missing(TRUST) == []


def test_every_line_names_a_test() -> None:
    faults, inputs = TRUST.read_text(encoding="utf-8").split("## Bad inputs")
    rows = [line for line in (faults + inputs).splitlines() if line.startswith("| ") and not line.startswith("|---")]
    rows = [line for line in rows if not line.endswith("| tests |")]
    assert [line for line in rows if "`tests/" not in line.rpartition(" | ")[2]] == []
    assert [int(number) for number in re.findall(r"^\| (\d+) \|", inputs, re.MULTILINE)] == list(range(1, INPUTS + 1))
    assert len(rows) - INPUTS >= FAULTS


def test_tests_of_the_page_are_known_by_their_ids() -> None:
    assert is_named(TRUST, "tests/integration/api/test_roles.py::test_route_by_role_as_the_table_says[admin-GET /x]")
    assert is_named(TRUST, "tests/unit/ingest/test_budget.py::test_anything")
    assert not is_named(TRUST, "tests/integration/api/test_roles.py::test_other")
    assert not is_named(TRUST, "tests/unit/test_house.py::test_other")

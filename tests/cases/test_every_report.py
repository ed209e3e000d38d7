"""Every report has a test that is made from its input."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cases.shared import CASES


def test_every_report_from_the_field_is_a_case() -> None:
    if not (CASES / "field").is_dir():
        pytest.skip("../shared/cases/field is absent")
    tests = "".join(path.read_text() for path in Path(__file__).parent.glob("test_field_*.py"))
    missing = [path.name for path in (CASES / "field").iterdir() if path.is_dir()]
    missing = [name for name in missing if f'field_case("{name}")' not in tests]
    assert missing == []

"""What makes a drill fail: each fault by itself."""

from __future__ import annotations

from typing import Any

import pytest

from pipeline.backup.drill import Drilled
from pipeline.commands.backup.command import drill_lines

GOOD: dict[str, Any] = {"set_id": "x", "at_ns": 1, "tables": 40, "rows": 9, "samples": 5, "opened": 5, "over_tried": 3}


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        ({"differing": ["member"]}, "The table member is not as in the database."),
        ({"audit_fault": "Audit entry 3 is missing."}, "Audit entry 3 is missing."),
        ({"opened": 4, "faults": ["s: hash"]}, "Footage s: hash"),
        ({"over_opened": 1}, "of 3 that ended since the copy 1 open"),
        ({"tables": 0}, "NOT good"),
    ],
)
def test_one_fault_is_enough(fault: dict[str, Any], words: str) -> None:
    assert Drilled(**GOOD).ok
    found = Drilled(**(GOOD | fault))
    assert not found.ok
    assert found.report()["ok"] is False
    said = "\n".join(drill_lines(found))
    assert words in said
    assert "NOT good" in said

"""Where the public reports' inputs are: beside the project, since they are not part of it (../shared/cases)."""

from __future__ import annotations

from pathlib import Path

import pytest

CASES = Path(__file__).resolve().parents[3] / "shared" / "cases"


def field_case(name: str) -> Path:
    """The folder of a report from the field; the test is skipped where it is absent."""
    folder = CASES / "field" / name
    if not folder.is_dir():
        pytest.skip(f"../shared/cases/field/{name} is absent")
    return folder

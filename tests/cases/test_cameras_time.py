"""Reports about cameras' stamps, each with what it asked for. Kin of theirs: tests/cameras/stamps.py."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from tests.cases.camera_reports import report

pytestmark = pytest.mark.slow


def recorded(case: Any, module: Any, seconds: float) -> dict[str, Any]:
    """The facts of a real recording of the report's camera: every picture that came is there."""
    facts: dict[str, Any] = asyncio.run(module.record(case, seconds))
    assert facts["footage_frames"] == facts["frames"]
    assert [gap for gap in facts["gaps"] if gap[2] == "clock"] == []
    assert (facts["connections"], facts["error"]) == (1, "")
    return facts


@pytest.mark.parametrize("name", ["Case", "Ms"])
def test_timestamps_stand_still(name: str) -> None:
    with report("timestamps_stand_still") as module:
        facts = recorded(getattr(module, name)(), module, 20)
    assert 18 < facts["footage_s"] < 20.5


def test_clock_rate_30000() -> None:
    with report("clock_rate_30000") as module:
        facts = recorded(module.Case(), module, 20)
    assert 18 < facts["footage_s"] < 20.5
    assert facts["jumps"] == 0


def test_nominal_timestamps() -> None:
    """Rows have the length that they took, although the stamps say less."""
    with report("nominal_timestamps") as module:
        facts = recorded(module.Case(), module, 57)
    assert facts["jumps"] == 0
    assert 55 < facts["footage_s"] < 57.5
    for start_s, end_s, frames in facts["spans"][1:-1]:
        assert frames / (end_s - start_s) == pytest.approx(21, rel=0.03)


@pytest.mark.parametrize("away_s", [-9800, 9800, -1.5])
def test_stamp_hours_away(away_s: float) -> None:
    with report("stamp_hours_away") as module:
        case = module.Case()
        case.ticks = lambda n, pts: pts + round(away_s * 90_000) * (n % 50 == 30)
        facts = recorded(case, module, 20)
    assert facts["segments"] <= 3
    assert facts["jumps"] == 0
    assert 18 < facts["footage_s"] < 20.5

"""Several runs become one result: medians, and how far apart they lie."""

from __future__ import annotations

from typing import Any

import jsonschema_rs

from benchmarks.frame.repeat import combined
from benchmarks.frame.result import SCHEMA, document
from benchmarks.frame.trust import Doubt
from benchmarks.report.headline import table


def _run(ratio: float, cost: float, *raised: Doubt) -> dict[str, Any]:
    return document(
        "ingest",
        parameters={"cameras": 2},
        headline={"cpu_ratio_vs_ffmpeg": ratio, "frames_lost": 0, "machine_note": "x"},
        cases=[{"name": "ours", "cameras": 2, "cpu_ms": cost}, {"name": "ours", "cameras": 9, "cpu_ms": cost * 9}],
        doubts=raised,
        missing={},
    )


def test_several_runs_are_told_by_their_medians_and_how_far_they_lie_apart() -> None:
    busy = Doubt(code="machine_loaded", detail="half of it")
    found = combined([_run(2.0, 1.0), _run(9.0, 7.0, busy), _run(3.0, 2.0)])
    jsonschema_rs.validate(SCHEMA, found)
    assert (found["runs"], found["cpu_ratio_vs_ffmpeg"], found["frames_lost"]) == (3, 3.0, 0)
    assert found["spread"] == {"cpu_ratio_vs_ffmpeg": [2.0, 9.0], "frames_lost": [0, 0]}
    assert [case["cpu_ms"] for case in found["cases"]] == [2.0, 18.0]
    assert not found["trusted"]
    assert found["doubts"] == [{"code": "machine_loaded", "detail": "run 2: half of it"}]
    assert "cpu_ratio_vs_ffmpeg 2 to 9" in table(found)


def test_one_run_is_told_as_it_is() -> None:
    one = _run(2.0, 1.0)
    assert combined([one]) == one
    assert "runs" not in one

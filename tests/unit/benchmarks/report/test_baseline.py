"""The baseline lists every ratio."""

from __future__ import annotations

from typing import Any

import jsonschema_rs
import pytest

from benchmarks.frame.result import SCHEMA, document
from benchmarks.frame.trust import Doubt
from benchmarks.report.baseline import against_baseline, ratios
from benchmarks.report.write import markdown


def _result(name: str, headline: dict[str, Any], cases: list[dict[str, Any]], **more: Any) -> dict[str, Any]:
    values: dict[str, Any] = {"parameters": {"rate": 1000}, "doubts": [], "missing": {}} | more
    made = document(name, headline=headline, cases=cases, **values)
    jsonschema_rs.validate(SCHEMA, made)
    return made


@pytest.fixture
def results() -> dict[str, dict[str, Any]]:
    ingest = {"cpu_ms_per_camera_s": 0.5, "cpu_ratio_vs_ffmpeg": 6.0, "cpu_ratio_vs_floor": 1.4, "frames_lost": 0}
    ingest |= {"slope_ms_per_camera_s": 0.5, "intercept_ms_per_s": 2.0}
    return {
        "ingest": _result(
            "ingest",
            ingest,
            [
                {"name": "ours", "cpu_ms_per_camera_s": 0.5, "mib_per_camera": 1.5},
                {"name": "ffmpeg", "cpu_ms_per_camera_s": 3.0, "mib_per_camera": 51.0, "peer": True},
                {"name": "ours, 10", "scaling": True, "cameras": 10, "cpu_ms_per_s": 7.0},
                {"name": "ours, 50", "scaling": True, "cameras": 50, "cpu_ms_per_s": 27.0},
            ],
            doubts=[Doubt(code="machine_loaded", detail="somebody <else> computes")],
            missing={"gstreamer": "not installed"},
        ),
        "index": _result("index", {"events_per_s": 5000.0, "tag_latency_p99_ms": 80.0, "events_ratio": 0.3}, []),
    }


def test_markdown_and_baseline_list_every_ratio(results: dict[str, dict[str, Any]]) -> None:
    assert set(ratios(results)) == {"ingest.cpu_ratio_vs_ffmpeg", "ingest.cpu_ratio_vs_floor", "index.events_ratio"}
    assert len(against_baseline(results)) == 3
    assert "| index.events_ratio | 0.3 |" in markdown(results)

"""Results of made-up runs, one of them doubtful."""

from __future__ import annotations

from typing import Any

import jsonschema_rs
import pytest

from benchmarks.frame.result import SCHEMA, document
from benchmarks.frame.trust import Doubt


def result_of(name: str, headline: dict[str, Any], cases: list[dict[str, Any]], **more: Any) -> dict[str, Any]:
    values: dict[str, Any] = {"parameters": {"rate": 1000}, "doubts": [], "missing": {}} | more
    made = document(name, headline=headline, cases=cases, **values)
    jsonschema_rs.validate(SCHEMA, made)
    return made


@pytest.fixture
def results() -> dict[str, dict[str, Any]]:
    ingest = {"cpu_ms_per_camera_s": 0.5, "cpu_ratio_vs_ffmpeg": 6.0, "cpu_ratio_vs_floor": 1.4, "frames_lost": 0}
    ingest |= {"slope_ms_per_camera_s": 0.5, "intercept_ms_per_s": 2.0}
    return {
        "ingest": result_of(
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
        "index": result_of("index", {"events_per_s": 5000.0, "tag_latency_p99_ms": 80.0, "events_ratio": 0.3}, []),
    }

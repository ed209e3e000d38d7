"""The report: every benchmark's rows, doubts beside them, plots inside one file."""

from __future__ import annotations

import base64
import re
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest

from benchmarks.frame.result import SCHEMA, document
from benchmarks.frame.trust import Doubt
from benchmarks.report.write import write_report


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


def test_report_is_one_file_that_fetches_nothing_and_shows_its_doubts(
    results: dict[str, dict[str, Any]], tmp_path: Path
) -> None:
    page = write_report(results, tmp_path).read_text()
    assert "http" not in page
    assert "somebody &lt;else&gt; computes" in page
    assert "without gstreamer (not installed)" in page
    pictures = re.findall(r'src="data:image/png;base64,([^"]+)"', page)
    assert len(pictures) >= 2
    assert all(base64.b64decode(picture).startswith(b"\x89PNG") for picture in pictures)
    assert {path.name for path in tmp_path.iterdir()} == {
        "report.html", "report.md", "ratios.json", "ingest.json", "index.json",
    }  # fmt: skip

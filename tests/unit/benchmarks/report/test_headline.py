"""Rows and tables of the headline: what is doubtful or missing shows."""

from __future__ import annotations

from typing import Any

import jsonschema_rs
import pytest

from benchmarks.frame.result import SCHEMA, document
from benchmarks.frame.trust import Doubt
from benchmarks.report.headline import figure, rows, table


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


def test_rows_of_a_doubtful_result_are_marked_and_others_are_not(results: dict[str, dict[str, Any]]) -> None:
    told = {row.what: row for row in rows(results)}
    assert told["Memory per camera (doubtful)"].peers == "ffmpeg 51 MiB"
    assert told["CPU per camera-second, to the sealed spool (doubtful)"].ratio == "ffmpeg / ours 6"
    assert told["Tag latency p99 at 1,000 events a second"].ours == "80 ms"


def test_table_for_the_terminal_says_what_is_doubtful_and_missing(results: dict[str, dict[str, Any]]) -> None:
    told = table(results["ingest"])
    assert "doubtful: somebody <else> computes" in told
    assert "missing: gstreamer (not installed)" in told


def test_figure_keeps_three_digits_and_dashes_what_is_not_there() -> None:
    assert (figure(12345.6), figure(0.12345, " ms"), figure(None)) == ("12,346", "0.123 ms", "–")

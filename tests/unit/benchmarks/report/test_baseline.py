"""The baseline lists every ratio."""

from __future__ import annotations

from typing import Any

from benchmarks.report.baseline import against_baseline, ratios
from benchmarks.report.write import markdown


def test_markdown_and_baseline_list_every_ratio(results: dict[str, dict[str, Any]]) -> None:
    assert set(ratios(results)) == {"ingest.cpu_ratio_vs_ffmpeg", "ingest.cpu_ratio_vs_floor", "index.events_ratio"}
    assert len(against_baseline(results)) == 3
    assert "| index.events_ratio | 0.3 |" in markdown(results)

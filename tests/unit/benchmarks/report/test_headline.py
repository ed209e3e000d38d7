"""Rows and tables of the headline: what is doubtful or missing shows."""

from __future__ import annotations

from typing import Any

from benchmarks.report.headline import figure, rows, table


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

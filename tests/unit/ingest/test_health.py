"""What is reported of a camera: rates between reports, lag, skew."""

from __future__ import annotations

import json

from ingest.health import Health

NS = 1_000_000_000


def test_rates_count_from_the_report_before() -> None:
    health = Health("Lobby", frames=10, size_bytes=1000)
    first = health.report(5 * NS, 0, 0, 0, None)
    assert (first["frames_per_s"], first["bits_per_s"]) == (0.0, 0.0)
    health.frames, health.size_bytes = 35, 6000
    second = health.report(7 * NS, 0, 0, 0, None)
    assert (second["frames_per_s"], second["bits_per_s"]) == (12.5, 20_000.0)
    assert health.report(7 * NS, 0, 0, 0, None)["frames_per_s"] == 0.0


def test_lag_and_skew_are_seconds_and_none_where_nothing_is_known() -> None:
    health = Health("Lobby")
    unknown = health.report(NS, 10 * NS, 0, 0, None)
    assert (unknown["lag_s"], unknown["skew_s"]) == (None, None)
    health.skew_ns = -1_234_567_890
    known = health.report(2 * NS, 10 * NS, 3, 4, 8 * NS)
    assert (known["lag_s"], known["skew_s"], known["segments"], known["gaps"]) == (2.0, -1.235, 3, 4)


def test_packets_that_gave_no_picture_stand_beside_the_other_counters_and_all_is_json() -> None:
    health = Health("Lobby", packets={"late_packets": 3}, state="refused", last_error="no", remedy="do")
    report = json.loads(json.dumps(health.report(NS, NS, 0, 0, 0)))
    assert (report["late_packets"], report["state"], report["last_error"], report["remedy"]) == (
        3,
        "refused",
        "no",
        "do",
    )

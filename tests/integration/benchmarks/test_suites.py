"""Every suite once, as small as it can be: does it run, does its result fit the schema, are its figures possible?"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest

from benchmarks.compare import compare
from benchmarks.frame.cores import pinned
from benchmarks.frame.result import SCHEMA
from benchmarks.load.film import FPS
from benchmarks.suites import clip, index, ingest, storage

pytestmark = [pytest.mark.services, pytest.mark.slow]

_SMALL = (320, 180)


def _cases(result: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    jsonschema_rs.validate(SCHEMA, json.loads(json.dumps(result)))
    return {case["name"]: case for case in result["cases"]}


def test_ingest_of_five_cameras_loses_no_frame_and_costs_more_than_its_floor(tmp_path: Path) -> None:
    given = ingest.Parameters(
        cameras=5,
        seconds=2.5,
        warm_up_s=0.2,
        peers=(),
        bit_rate=1_000_000,
        size=_SMALL,
        segment_s=2.0,
        baselines=False,
    )
    result = ingest.run(given, tmp_path)
    cases = _cases(result)
    assert result["frames_lost"] == 0
    assert result["cpu_ratio_vs_ffmpeg"] is None
    assert 0 < cases["floor upload"]["cpu_ms_per_camera_s"] < result["cpu_ms_per_camera_s_with_upload"]
    assert result["cpu_ratio_vs_hashed_floor"] > 0
    # By what the generator says it sent: how much that is depends on how busy the machine is.
    sent = cases["ours"]["sent_bytes"] * 8 / given.bit_rate * FPS
    assert 0.5 * sent < cases["ours"]["frames"] < 1.2 * sent
    assert cases["ours with upload"]["sink_puts"] >= 5
    for name in ("floor spool", "floor upload", "floor upload, hashed"):
        assert 0.5 < cases[name]["received_bytes"] / cases[name]["sent_bytes"] < 1.05


def test_storage_of_few_rows_answers_every_question(tmp_path: Path) -> None:
    result = storage.run(storage.Parameters(rows=(10_000,), files=50, objects=3, rounds=3, calls=5), tmp_path)
    cases = _cases(result)
    for key in ("seal_ratio", "open_ratio", "put_ratio", "get_ratio"):
        assert 0.05 < result[key] < 5
    assert cases["rows made, 10,000"]["rows"] == 10_000
    assert cases["clip of 30 s, 10,000 rows"]["query_p99_ms"] > 0
    assert cases["torn files recovered"]["files"] == 50


def test_index_of_two_thousand_events_tags_them_all(tmp_path: Path) -> None:
    given = index.Parameters(events=2_000, rows=(50_000,), rate=200, seconds=2.0)
    result = index.run(given, tmp_path)
    cases = _cases(result)
    # Both wait for the broker's disk, one after the other: on a busy machine the floor may have the worse turn.
    assert 0 < result["events_per_s"] < 2 * result["floor_events_per_s"]
    assert cases["ours"]["tags"] > 2_000
    assert cases["tag latency at 200 events a second"]["events"] == 400
    assert 0 < result["tag_latency_p99_ms"] < 30_000


def test_clip_through_the_api_brings_what_was_recorded(tmp_path: Path) -> None:
    given = clip.Parameters(staff=(1, 2), rounds=1, cameras=2, footage_s=34, bit_rate=500_000, size=_SMALL)
    cases = _cases(clip.run(given, tmp_path))
    assert cases["ours, 2 at once"]["clips"] == 2
    # Half a megabit a second for 30 s is 1.8 MiB; a clip begins at a key frame and ends with a fragment.
    assert 1.2 < cases["ours, 1 at once"]["clip_mib"] < 2.6


def test_compare_calls_a_planted_slowdown_in_sealing() -> None:
    with pinned() as cores, cores.measuring():
        (verdict,) = compare((".", "."), ("sealing",), pairs=3, seed=1, slowdown="sealing=0.6")
    assert verdict.called == "slower"
    assert 1.2 < verdict.effect.ratio < 2.2


def test_bench_is_a_subcommand_that_hands_its_arguments_on() -> None:
    command = [sys.executable, "-m", "pipeline.cli", "bench", "ingest", "--help"]
    told = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60).stdout
    assert "--cameras" in told and "tallenne bench ingest" in told

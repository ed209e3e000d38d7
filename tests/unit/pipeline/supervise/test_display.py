"""A line per camera: what is always said, and what only when it is so."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from ingest.health import Health
from pipeline.supervise import display
from pipeline.supervise.display import camera_lines, problem_lines


def line(**more: Any) -> str:
    health = Health("Hall", **more)
    (found,) = camera_lines(
        [{"role": "ingest", "state": "ready", "cameras": {"x": health.report(1, 5_000_000_000, 2, 1, 0)}}]
    )
    return found


def test_good_camera_is_told_in_few_words() -> None:
    told = line(state="recording")
    assert "Hall" in told
    assert "recording" in told
    assert told.endswith("lag  5 s")


def test_loss_skew_forced_cuts_and_sound_are_told() -> None:
    told = line(
        lost_packets=40,
        losses=2,
        skew_ns=-7_200_000_000_000,
        forced_cuts=3,
        damaged_frames=9,
        sound="its sound is PCMA.",
    )
    assert "lost 40 packets (2 times)" in told
    assert "its clock 7200 s behind" in told
    assert "9 damaged pictures" in told
    assert "3 cuts without a key frame" in told
    assert "sound: its sound is PCMA." in told


def test_camera_of_a_recorder_that_says_nothing_is_unknown() -> None:
    status = {"role": "ingest", "state": "unknown", "updated_ns": 5_000_000_000, "cameras": {"x": {"name": "Hall"}}}
    assert camera_lines([status]) == [" ? Hall             unknown since 1970-01-01T00:00:05.000Z"]


def test_disk_that_keeps_the_roles_from_speaking_is_said_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(display, "disk_trouble", lambda _: "is read-only")
    (line,) = problem_lines([], tmp_path)
    assert f"The disk under {tmp_path} is read-only." in line
    said = {"role": "up", "problems": [{"what": f"The disk under {tmp_path} is read-only.", "remedy": ""}]}
    assert len(problem_lines([said], tmp_path)) == 1
    monkeypatch.setattr(display, "disk_trouble", lambda _: "")
    assert problem_lines([], tmp_path) == []

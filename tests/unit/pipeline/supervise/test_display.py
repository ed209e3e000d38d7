"""A line per camera: what is always said, and what only when it is so."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from domain.time import NS
from ingest.health import Health
from pipeline.supervise import display
from pipeline.supervise.display import (
    camera_lines,
    disk_lines,
    problem_lines,
    quarantine_lines,
    service_lines,
    waiting_lines,
)


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


def test_who_waits_for_whom_is_said_with_the_longest_wait() -> None:
    def problem(since_ns: int, **more: str) -> dict[str, Any]:
        return {"topic": "x", "what": "It is away.", "remedy": "", "since_ns": since_ns, **more}

    problems = [problem(7 * NS, waits_for="store"), problem(5 * NS, waits_for="store"), problem(1)]
    one = {"role": "ingest", "instance": "0", "state": "degraded", "problems": problems}
    other = {"role": "index", "instance": "2", "state": "ready", "problems": []}
    assert waiting_lines([one, other]) == [" … ingest waits for the store since 1970-01-01T00:00:05.000Z"]


@pytest.mark.parametrize(
    ("measured", "hours", "words"),
    [
        (False, None, "is not known before a quarter of an hour"),
        (True, None, "it does not fill at present"),
        (True, 23.4 * 24, "full in 23 days at the rate of the last hour"),
        (True, 5.2, "full in 5 h"),
        (True, 0.5, "full in 30 min"),
    ],
)
def test_disk_says_when_it_will_be_full(measured: bool, hours: float | None, words: str) -> None:
    disk = {"free_bytes": 1 << 30, "total_bytes": 4 << 30, "full_in_h": hours, "measured": measured}
    (said,) = disk_lines([{"role": "notify", "state": "ready", "disks": {"data": disk}}])
    assert said.startswith("disk of data: 1.0 GiB of 4.0 GiB free, ")
    assert words in said


def test_messages_in_quarantine_are_said_while_there_are_any() -> None:
    assert quarantine_lines([{"role": "index", "quarantine_waiting": 0}, {"role": "index"}]) == []
    assert "3 door messages" in quarantine_lines([{"role": "index", "quarantine_waiting": 3}])[0]


def test_services_are_shown_with_the_age_of_their_last_answer() -> None:
    up = {"role": "up", "services": {"store": {"state": "unknown", "answered_s": 4.6, "restarts": 2}}}
    assert service_lines([up]) == ["store      unknown    answered 5 s ago, started again 2 times"]
    assert service_lines([{"role": "up", "state": "unknown", "problems": []}]) == []

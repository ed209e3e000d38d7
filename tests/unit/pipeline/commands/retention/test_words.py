"""`tallenne retention status` in words: what is kept, what is held, what is late."""

from __future__ import annotations

from typing import Any

import pytest

from pipeline.commands.retention.words import shorter_lines, words_of

CAMERA = {
    "site": "Helsinki",
    "camera": "Hall",
    "removed": False,
    "retention_h": 72,
    "camera_hours": 3,
    "oldest_hour": "2026-11-22T06:00:00Z",
    "next_expiry": "2026-11-25T06:00:00Z",
    "last_expiry": "2026-11-25T08:00:00Z",
}


def report(**more: Any) -> dict[str, Any]:
    plain = {
        "cameras": [CAMERA],
        "expired_camera_hours": 5,
        "expired_segments": 1800,
        "certificates": 5,
        "to_remove_camera_hours": 0,
        "removal_late": False,
        "shorter": [],
        "held": None,
        "overdue_camera_hours": 0,
        "overdue_s": 0,
        "erasures": [],
        "erasing_waits_for_keys": 0,
    }
    return {**plain, **more}


def test_quiet_report_has_a_line_a_camera_and_one_in_all() -> None:
    lines = words_of(report())
    assert len(lines) == 2
    assert lines[0].startswith("Helsinki / Hall")
    assert "72 h" in lines[0]
    assert "5 camera-hours, 1800 segments" in lines[1]


def test_camera_without_footage_and_a_removed_one_are_said() -> None:
    (line, _) = words_of(report(cameras=[{**CAMERA, "camera_hours": 0, "removed": True}]))
    assert "(removed)" in line
    assert "nothing is kept" in line


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"to_remove_camera_hours": 2}, "to be deleted: 2 camera-hours."),
        ({"to_remove_camera_hours": 2, "removal_late": True}, "look at the role keeper"),
        ({"overdue_camera_hours": 4, "overdue_s": 600}, "OVERDUE: 4 camera-hours, for 10 min."),
        ({"held": {"what": "The clock jumped.", "remedy": "Confirm it."}, "overdue_camera_hours": 4}, "Confirm it."),
    ],
)
def test_what_needs_an_operator_is_said(more: dict[str, Any], said: str) -> None:
    assert said in "\n".join(words_of(report(**more)))


def test_hold_is_said_instead_of_what_it_makes_overdue() -> None:
    held = {"what": "The clock jumped.", "remedy": "Confirm it."}
    assert "OVERDUE" not in "\n".join(words_of(report(held=held, overdue_camera_hours=4)))


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"state": "asked"}, "waits for a second person"),
        ({"state": "asked", "cases": "2026-001"}, "kept by 2026-001, until two people end that"),
        ({"state": "approved"}, "not shown any more; its keys are being replaced. 2 hour keys wait"),
    ],
)
def test_erasure_says_what_it_waits_for(more: dict[str, str], said: str) -> None:
    one = {"segments": 7, "cameras": "Hall", "asked_ns": 1_790_000_000 * 10**9, "cases": "", **more}
    lines = words_of(report(erasures=[one], erasing_waits_for_keys=2))
    assert any("7 segments (Hall)" in line and said in line for line in lines)


def test_shortened_retention_names_the_command() -> None:
    one = {"camera": "Hall", "retention_s": 86_400, "shorter_hours": 48, "at_once_hours": 24}
    (line,) = shorter_lines(report(shorter=[one]))
    assert "24 h" in line
    assert "tallenne retention confirm" in line

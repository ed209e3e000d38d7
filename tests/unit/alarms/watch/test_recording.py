"""Conditions of cameras, spools and keys, from made-up reports of a recorder."""

from __future__ import annotations

from typing import Any

import pytest

from alarms.conditions import Kind
from alarms.watch.recording import NO_PICTURES_S, Recording, hours_text


def status(frames: int = 0, state: str = "recording", **more: Any) -> dict[str, Any]:
    camera = {"name": "Entrance", "state": state, "frames": frames}
    return {"role": "ingest", "instance": "recorder", "state": "ready", "cameras": {"c": camera}, **more}


def seen(watcher: Recording, mono_s: float, report: dict[str, Any]) -> list[Kind]:
    return [one.kind for one in watcher.look(mono_s, [report])]


@pytest.fixture
def watcher() -> Recording:
    return Recording(spool_full_h=24, keys_left_h=24)


def test_camera_whose_pictures_stand_still_is_reported_and_clears_with_the_next(watcher: Recording) -> None:
    assert seen(watcher, 0, status(5)) == []
    assert seen(watcher, NO_PICTURES_S - 1, status(5)) == []
    assert seen(watcher, NO_PICTURES_S, status(5)) == [Kind.CAMERA]
    assert seen(watcher, NO_PICTURES_S + 2, status(6)) == []


@pytest.mark.parametrize("state", ["connecting", "refused", "waiting"])
def test_camera_that_is_not_recorded_is_reported_at_once(watcher: Recording, state: str) -> None:
    assert seen(watcher, 0, status(state=state)) == [Kind.CAMERA]


def test_camera_that_was_stopped_on_purpose_is_not(watcher: Recording) -> None:
    assert seen(watcher, 10_000, status(state="stopped")) == []


def test_spool_that_fills_then_is_full(watcher: Recording) -> None:
    most = 1000
    for second, size in ((0, 400), (60, 460), (120, 520)):
        last = seen(watcher, second, status(second, spool={"bytes": size, "max_bytes": most}))
    assert last == [Kind.SPOOL]
    assert seen(watcher, 180, status(180, spool={"bytes": 999, "max_bytes": most})) == [Kind.SPOOL_FULL]


def test_keys_that_run_out_are_reported_with_cameras_only(watcher: Recording) -> None:
    assert seen(watcher, 0, status(1, keys_ahead_s=23 * 3600)) == [Kind.KEYS]
    assert seen(watcher, 1, status(2, keys_ahead_s=25 * 3600)) == []
    assert seen(watcher, 2, {**status(), "cameras": {}, "keys_ahead_s": 0}) == []


def test_hours_in_words() -> None:
    assert [hours_text(hours) for hours in (0.001, 0.2, 1.49, 1.5, 5.2)] == ["1 min", "12 min", "89 min", "2 h", "5 h"]

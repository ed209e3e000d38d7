"""Silence of a camera: told after its limit, not when we ourselves stood still, and longer while pictures come."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, cast

import pytest

from ingest.silence import Silence


class Timeout:
    at: float | None = None

    def when(self) -> float | None:
        return self.at

    def reschedule(self, at: float) -> None:
        self.at = at


@pytest.fixture
def now(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    now = [1000.0]

    class Loop:
        def time(self) -> float:
            return now[0]

    monkeypatch.setattr("ingest.silence.asyncio.get_running_loop", Loop)
    return now


def made(passed: Callable[[], int] = lambda: 0) -> tuple[Silence, Timeout]:
    timeout = Timeout()
    silence = Silence(
        cast("asyncio.Timeout", cast("Any", timeout)), passed, connecting_s=5.0, longest_s=10.0, waiting_s=60.0
    )
    return silence, timeout


def looked(silence: Silence, now: list[float], seconds: float) -> None:
    for _ in range(round(seconds * 2)):
        now[0] += 0.5
        silence.look()


@pytest.mark.parametrize(("seconds", "told"), [(15.0, False), (15.5, True)])
def test_first_picture_may_take_longer(now: list[float], seconds: float, told: bool) -> None:
    silence, timeout = made()
    looked(silence, now, seconds)
    assert (timeout.at is not None) is told


@pytest.mark.parametrize(("seconds", "told"), [(10.0, False), (10.5, True)])
def test_silence_is_told_after_its_limit_and_once(now: list[float], seconds: float, told: bool) -> None:
    silence, timeout = made()
    silence.heard()
    looked(silence, now, seconds)
    assert (timeout.at == now[0]) is told
    at = timeout.at
    looked(silence, now, 1.0)
    if told:
        assert timeout.at == at
    assert not silence.without_key


def test_time_in_which_the_process_stood_still_does_not_count(now: list[float]) -> None:
    silence, timeout = made()
    silence.heard()
    now[0] += 3600
    silence.look()
    looked(silence, now, 10.0)
    assert timeout.at is None
    looked(silence, now, 0.5)
    assert timeout.at is not None


@pytest.mark.parametrize(("seconds", "told"), [(60.0, False), (60.5, True)])
def test_pictures_without_a_key_frame_are_waited_for_longer(now: list[float], seconds: float, told: bool) -> None:
    passed = [0]

    def passed_over() -> int:
        passed[0] += 1
        return passed[0]

    silence, timeout = made(passed_over)
    silence.heard()
    looked(silence, now, seconds)
    assert (timeout.at is not None) is told
    assert silence.without_key is told


@pytest.mark.parametrize("every_s", [3, 7, 12, 14])
def test_camera_that_sends_a_picture_now_and_then_is_given_longer(now: list[float], every_s: int) -> None:
    silence, timeout = made()
    for _ in range(20):
        looked(silence, now, every_s)
        assert timeout.at is None
        silence.heard()
    looked(silence, now, max(10.0, 3.0 * every_s))
    assert timeout.at is None
    looked(silence, now, 0.5)
    assert timeout.at is not None

"""Time: a camera's media time and the system's clock against the monotonic one."""

from __future__ import annotations

import random

import pytest

from domain.time import NS
from ingest.media.clock import SETTLE_NS, MediaClock, RecorderClock, ticks_to_ns

FRAME = 3600  # 25 a second


def run(
    clock: MediaClock, frames: range, *, delay_ns: int, jitter_ns: int, ppm: float = 0, shift_ticks: int = 0
) -> int:
    """Pictures whose media clock runs ``ppm`` fast, each late by ``delay_ns`` and some jitter. How many jumps."""
    dice = random.Random(4)
    jumps = 0
    for number in frames:
        taken_ns = number * NS // 25
        ticks = round(number * FRAME * (1 + ppm / 1e6)) + shift_ticks
        jumps += clock.observe(ticks, taken_ns + delay_ns + dice.randrange(jitter_ns + 1))
    return jumps


def error_ns(clock: MediaClock, number: int, *, ppm: float = 0, shift_ticks: int = 0) -> int:
    """How late the clock places a picture."""
    return clock.time_ns(round(number * FRAME * (1 + ppm / 1e6)) + shift_ticks) - number * NS // 25


def test_media_clock_settles_at_the_least_delay() -> None:
    clock = MediaClock()
    assert run(clock, range(SETTLE_NS * 25 // NS + 2), delay_ns=20_000_000, jitter_ns=300_000_000) == 0
    assert clock.settled
    assert 20_000_000 <= error_ns(clock, 10) < 80_000_000


@pytest.mark.parametrize("ppm", [-300, 0, 300])
def test_media_clock_follows_a_drift(ppm: float) -> None:
    clock = MediaClock()
    assert run(clock, range(25 * 1200), delay_ns=20_000_000, jitter_ns=50_000_000, ppm=ppm) == 0
    assert abs(error_ns(clock, 25 * 1200, ppm=ppm) - 20_000_000) < 20_000_000


@pytest.mark.parametrize("jump_s", [-3600, 5, 86_400])
def test_media_clock_tells_a_jump_once_and_goes_on(jump_s: int) -> None:
    clock = MediaClock()
    assert run(clock, range(250), delay_ns=20_000_000, jitter_ns=0) == 0
    shift = jump_s * 90_000
    assert run(clock, range(250, 500), delay_ns=20_000_000, jitter_ns=0, shift_ticks=shift) == 1
    assert abs(error_ns(clock, 500, shift_ticks=shift) - 20_000_000) < 5_000_000


def test_media_clock_takes_b_frames_for_what_they_are() -> None:
    clock = MediaClock()
    jumps = 0
    for number in range(0, 400, 8):
        for place in (8, 4, 2, 1, 3, 6, 5, 7):  # as a pyramid of B-frames is sent
            jumps += clock.observe((number + place) * FRAME, (number + 8) * NS // 25)
    assert jumps == 0


@pytest.mark.parametrize("back_s", [0.2, 0.5, 4.0])
def test_media_clock_tells_a_small_step_back(back_s: float) -> None:
    clock = MediaClock()
    run(clock, range(250), delay_ns=20_000_000, jitter_ns=0)
    shift = -round(back_s * 90_000)
    assert run(clock, range(250, 500), delay_ns=20_000_000, jitter_ns=0, shift_ticks=shift) == 1
    assert abs(error_ns(clock, 500, shift_ticks=shift) - 20_000_000) < 5_000_000


def test_media_clock_is_not_moved_by_a_stall_that_is_made_up_for() -> None:
    clock = MediaClock()
    run(clock, range(250), delay_ns=20_000_000, jitter_ns=0)
    for number in range(250, 275):
        clock.observe(number * FRAME, 275 * NS // 25)  # a second's pictures at once, late
    assert run(clock, range(275, 500), delay_ns=20_000_000, jitter_ns=0) == 0
    assert abs(error_ns(clock, 400) - 20_000_000) < 2_000_000


def test_ticks_floor() -> None:
    assert [ticks_to_ns(ticks) for ticks in (0, 1, 90_000)] == [0, 11_111, NS]


def test_recorder_clock_follows_small_corrections_and_steps_forward_only() -> None:
    clock = RecorderClock(0, 1000 * NS)
    assert not clock.stepped(NS, 1001 * NS + 1000)
    clock.observe(NS, 1001 * NS + 1000)
    assert clock.utc_ns(NS) == 1001 * NS + 1000
    assert clock.stepped(2 * NS, 1002 * NS + 3600 * NS)
    clock.observe(2 * NS, 1002 * NS + 3600 * NS)
    assert clock.utc_ns(2 * NS) == 4602 * NS
    assert not clock.stepped(3 * NS, 1003 * NS)
    clock.observe(3 * NS, 1003 * NS)
    assert clock.utc_ns(3 * NS) == 4603 * NS
    assert clock.behind_ns > 3000 * NS


@pytest.mark.parametrize("fps", [25, 12, 5, 2, 1])
def test_a_network_that_stood_still_is_no_jump_whatever_the_rate(fps: int) -> None:
    """For three seconds nothing comes, then all of it at once; read in gulps, as sources do."""
    for start in range(40):
        clock, began_s = MediaClock(), 10 + start / 10 + 0.003
        for number in range(40 * fps):
            taken_s = number / fps
            came_s = began_s + 3 if began_s <= taken_s < began_s + 3 else taken_s
            gulp_s = -(-came_s // 0.25) * 0.25 if came_s > 1 else came_s
            assert not clock.observe(number * 90_000 // fps, round(gulp_s * NS)), (start, number)
        assert abs(clock.time_ns(40 * 90_000) - 40 * NS) < NS // 2


@pytest.mark.parametrize("jump_s", [20, -20, 5, -3600])
def test_a_jump_before_the_clock_has_settled_is_told(jump_s: int) -> None:
    clock = MediaClock()
    assert run(clock, range(10), delay_ns=20_000_000, jitter_ns=0) == 0
    assert not clock.settled
    shift = jump_s * 90_000
    assert run(clock, range(10, 100), delay_ns=20_000_000, jitter_ns=0, shift_ticks=shift) == 1
    assert abs(error_ns(clock, 100, shift_ticks=shift) - 20_000_000) < 5_000_000

"""The line under arrivals: its offset and its rate."""

from __future__ import annotations

import random
from collections.abc import Callable

import pytest

from ingest.media.course import Course

SECOND = 90_000
START = 1_000_000_000


def run(
    course: Course, seconds: range, arrives: Callable[[float], float], *, fps: int = 25, keeps_up: bool = True
) -> None:
    """Media time in seconds to arrival in seconds, since START."""
    for second in seconds:
        for number in range(fps):
            at = second + number / fps
            arrived = START + round(arrives(at) * SECOND)
            course.observe(round(at * SECOND), arrived)
            if course.ends(arrived):
                course.look(arrived, keeps_up=keeps_up)


def error_s(course: Course, at: float, taken: float) -> float:
    return (course.taken(at * SECOND) - START) / SECOND - taken


def test_least_delay_tells_the_offset() -> None:
    dice, course = random.Random(1), Course(0, START + SECOND // 2)
    run(course, range(10), lambda at: at + 0.02 + dice.random() * 0.3)
    assert error_s(course, 10, 10.02) == pytest.approx(0, abs=0.02)


@pytest.mark.parametrize("rate", [0.34, 0.5, 0.98, 0.9995, 1.0, 1.0005, 1.02, 25 / 21, 2.0, 3.0])
def test_any_steady_rate_is_found(rate: float) -> None:
    dice, course = random.Random(1), Course(0, START)
    run(course, range(round(60 / rate)), lambda at: at * rate + 0.02 * dice.random())
    assert course.plausible
    assert error_s(course, 60 / rate, 60) == pytest.approx(0, abs=0.05)


def test_early_picture_moves_the_line_at_once() -> None:
    course = Course(0, START + 2 * SECOND)
    run(course, range(1), lambda at: at + 2)
    course.observe(SECOND, START + SECOND)
    assert error_s(course, 1, 1) == 0
    assert course.delay == 0


def test_late_pictures_are_followed_while_the_link_keeps_up_and_only_then() -> None:
    followed, kept = Course(0, START), Course(0, START)
    run(followed, range(20), lambda at: at)
    run(followed, range(20, 30), lambda at: 20 + (at - 20) * 1.5)
    assert error_s(followed, 30, 35) == pytest.approx(0, abs=0.05)
    run(kept, range(20), lambda at: at)
    run(kept, range(20, 30), lambda at: 20 + (at - 20) * 1.5, keeps_up=False)
    assert error_s(kept, 30, 30) == pytest.approx(0, abs=0.01)
    assert kept.delay == pytest.approx(5 * SECOND, rel=0.02)


def test_link_that_was_behind_is_believed_after_a_while() -> None:
    """Its first seconds of keeping up are those in which it catches up."""
    course = Course(0, START)
    run(course, range(20), lambda at: at)
    run(course, range(20, 30), lambda at: 20 + (at - 20) * 1.5, keeps_up=False)
    run(course, range(30, 45), lambda at: max(at, 35 + (at - 30) * 0.5))
    run(course, range(45, 60), lambda at: at)
    assert error_s(course, 60, 60) == pytest.approx(0, abs=0.02)
    assert course.rate == 1.0


@pytest.mark.parametrize("by_s", [0.3, -0.3, 0.15])
def test_shift_for_good_is_followed(by_s: float) -> None:
    course = Course(0, START)
    run(course, range(20), lambda at: at)
    run(course, range(20, 40), lambda at: at + by_s)
    assert error_s(course, 40, 40 + by_s) == pytest.approx(0, abs=0.03)
    assert course.rate == pytest.approx(1.0, abs=0.002)


def test_stalls_are_not_followed() -> None:
    dice, course = random.Random(5), Course(0, START)
    late: dict[int, float] = {}

    def arrives(at: float) -> float:
        stall = late.setdefault(int(at), dice.choice([0, 0, 0, 0.8]))
        return max(at, int(at) + stall)

    run(course, range(120), arrives)
    assert error_s(course, 120, 120) == pytest.approx(0, abs=0.03)


@pytest.mark.parametrize("rate", [0.1, 9.0])
def test_stamps_far_from_time_are_not_plausible(rate: float) -> None:
    course = Course(0, START)
    seen = []
    for second in range(round(40 / rate)):
        run(course, range(second, second + 1), lambda at: at * rate)
        seen.append(course.plausible)
    assert False in seen


def test_restart_knows_one_time_and_a_rate() -> None:
    course = Course(0, START)
    run(course, range(10), lambda at: at)
    course.restart(5 * SECOND, START + 7.0 * SECOND, START + 9 * SECOND, 0.5)
    assert course.rate == 0.5
    assert error_s(course, 5, 7) == 0
    assert error_s(course, 6, 7.5) == 0

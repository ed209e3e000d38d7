"""Times along a line that moves."""

from __future__ import annotations

import itertools
import random

import pytest

from ingest.media.course import Course
from ingest.media.placing import Placing

FRAME = 3600
START = 1_000_000


def moved(course: Course, by: float) -> None:
    course.restart(0, course.taken(0) + by, START, course.rate)


def test_pictures_are_where_the_line_is() -> None:
    course, placing = Course(0, START), Placing(0)
    placing.aim(course)
    assert [placing.place(number * FRAME) for number in range(10)] == [START + number * FRAME for number in range(10)]


@pytest.mark.parametrize("by", [-90_000, -20_000, 20_000, 90_000])
def test_line_that_moved_is_reached_without_a_jump_and_without_a_step_back(by: int) -> None:
    course, placing = Course(0, START), Placing(0)
    placed = []
    for number in range(200):
        if number == 50:
            moved(course, by)
        placing.aim(course)
        placed.append(placing.place(number * FRAME))
    steps = [after - before for before, after in itertools.pairwise(placed)]
    assert min(steps) >= FRAME // 5 - 1
    assert max(steps) <= 5 * FRAME + 1
    assert placed[-1] == pytest.approx(course.taken(199 * FRAME), abs=2)


def test_long_pause_behind_a_move_is_no_longer_for_it() -> None:
    course, placing = Course(0, START), Placing(0)
    placing.aim(course)
    placing.place(0)
    moved(course, 20_000)
    placing.aim(course)
    assert placing.place(900_000) == pytest.approx(course.taken(900_000), abs=2)


@pytest.mark.parametrize("by", [-900_000, 900_000])
def test_few_pictures_reach_the_line_as_soon_as_many(by: int) -> None:
    reached = []
    for frame in (FRAME, 25 * FRAME):
        course, placing, placed = Course(0, START), Placing(0), 0
        placing.aim(course)
        placing.place(0)
        moved(course, by)
        while abs(placing.place(placed) - course.taken(placed)) > 2:
            placing.aim(course)
            placed += frame
        reached.append(placed)
    assert reached[1] <= reached[0] + 25 * FRAME


def test_b_frames_keep_their_place_in_order() -> None:
    dice, course, placing = random.Random(2), Course(0, START), Placing(0)
    placed: dict[int, int] = {}
    for first in range(0, 400, 4):
        moved(course, dice.uniform(-9000, 9000))
        placing.aim(course)
        for place in (first + 4, first + 2, first + 1, first + 3):
            placed[place] = placing.place(place * FRAME)
    shown = [placed[place] for place in sorted(placed)]
    assert sum(before >= after for before, after in itertools.pairwise(shown)) <= 2

"""Whether a link keeps up, and pictures spread over the time in which they came."""

from __future__ import annotations

import itertools
import random

import pytest

from ingest.access_unit import Rests
from ingest.media.arrivals import LinkLoad, Spread

SIZES = [60_000 if number % 5 == 0 else 5_000 + number * 997 % 3000 for number in range(20)]


def second(load: LinkLoad, times: list[int], pictures: int = 6) -> None:
    for elapsed, size in zip(times, SIZES, strict=False):
        load.batch(elapsed, pictures, size)


def verdicts(times: list[list[int]], rests: list[Rests | None]) -> list[bool]:
    load, found = LinkLoad(), []
    for each, now in zip(times, rests, strict=True):
        second(load, each)
        found.append(load.keeps_up(now))
    return found


EVEN = [22_500] * 5
BY_THE_BYTE = [round(size * 0.6) for size in SIZES[:5]]


def test_link_on_which_pictures_come_evenly_keeps_up() -> None:
    assert verdicts([EVEN] * 6, [None] * 6) == [True] * 6


def test_link_on_which_time_goes_by_the_byte_does_not() -> None:
    assert verdicts([EVEN] * 2 + [BY_THE_BYTE] * 4, [None] * 6) == [True, True, True, False, False, False]


def test_pictures_of_one_size_tell_nothing() -> None:
    load = LinkLoad()
    for _ in range(5):
        for _ in range(6):
            load.batch(30_000, 6, 30_000)
        assert load.keeps_up(None)


@pytest.mark.parametrize(
    ("between", "within", "keeps_up"), [(4, 0, True), (3, 1, True), (2, 1, False), (0, 3, False), (0, 0, False)]
)
def test_link_keeps_up_while_it_rests_between_pictures(between: int, within: int, keeps_up: bool) -> None:
    rests: list[Rests | None] = [Rests(10 + between * number, 5 + within * number) for number in range(6)]
    assert verdicts([EVEN] * 6, rests)[1:] == [keeps_up] * 5


def test_pictures_are_spread_evenly_over_the_time_of_their_gulp() -> None:
    spread, last, arrived = Spread(3600.0), 0.0, 0
    placed = []
    for _ in range(200):
        first, step = spread.step(last, float(arrived + 22_500), 5, 22_500)
        arrived += 22_500
        placed += [first + number * step for number in range(5)]
        last = placed[-1]
    steps = [after - before for before, after in itertools.pairwise(placed[250:])]
    assert all(step == pytest.approx(4500, abs=50) for step in steps)
    assert last == pytest.approx(arrived, abs=500)


def test_rate_that_halves_is_followed() -> None:
    spread, last, arrived = Spread(3600.0), 0.0, 0
    for number in range(200):
        elapsed = 3600 if number < 100 else 7200
        arrived += elapsed
        last, _ = spread.step(last, float(arrived), 1, elapsed)
        if number > 150:
            assert last == pytest.approx(arrived, abs=2000)
    assert spread.interval == pytest.approx(7200, rel=0.02)


def test_pause_is_a_pause() -> None:
    spread, last, arrived = Spread(3600.0), 0.0, 0
    for _ in range(50):
        arrived += 3600
        last, _ = spread.step(last, float(arrived), 1, 3600)
    first, _ = spread.step(last, float(arrived + 450_000), 1, 450_000)
    assert first - last == pytest.approx(450_000, abs=4000)


def test_pictures_keep_apart_whatever_comes() -> None:
    dice, spread, last, arrived = random.Random(1), Spread(3600.0), 0.0, 0
    for _ in range(500):
        elapsed, count = dice.choice([0, 100, 3600, 90_000, 500_000]), dice.randrange(1, 40)
        arrived += elapsed
        first, step = spread.step(last, float(arrived), count, elapsed)
        assert first - last >= 2
        assert step >= 2
        last = first + (count - 1) * step

"""Growth of a figure and increments of a counter, by made-up clocks."""

from __future__ import annotations

import math

import pytest

from alarms.watch.rates import Growth, Happenings


def test_growth_is_unknown_before_the_least_stretch_and_then_the_mean() -> None:
    growth = Growth(window_s=3600, least_s=900)
    growth.add(0, 100)
    growth.add(600, 700)
    assert growth.per_s() is None
    assert growth.hours_until(10) == math.inf
    growth.add(1000, 1100)
    assert growth.per_s() == pytest.approx(1.0)
    assert growth.hours_until(7200) == pytest.approx(2.0)


def test_samples_that_come_too_soon_are_left_out_and_old_ones_leave_the_window() -> None:
    growth = Growth(window_s=60, least_s=10)
    for second in range(200):
        growth.add(second, 0 if second < 120 else (second - 120) * 5)
        growth.add(second + 0.5, 10_000)  # half a sample period later
    assert growth.per_s() == pytest.approx(5.0, rel=0.1)


@pytest.mark.parametrize("values", [(100, 100), (100, 50)])
def test_a_figure_that_does_not_grow_never_arrives(values: tuple[int, int]) -> None:
    growth = Growth(window_s=60, least_s=1)
    growth.add(0, values[0])
    growth.add(10, values[1])
    assert growth.hours_until(1) == math.inf


def test_counter_counts_within_the_window_and_through_a_restart() -> None:
    happenings = Happenings(window_s=100)
    assert happenings.add(0, 7) == 0  # how long that took is unknown
    assert happenings.add(10, 9) == 2
    assert happenings.add(20, 9) == 2
    assert happenings.add(30, 3) == 5  # the process began anew: three since then
    assert happenings.add(111, 3) == 3  # the first two are out of the window
    assert happenings.add(500, 3) == 0

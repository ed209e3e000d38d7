"""Starting again and again is said to be so, and for no longer than it is."""

from __future__ import annotations

from pipeline.supervise.restarts import OFTEN, WITHIN_S, Restarts


def test_often_are_so_many_within_the_time() -> None:
    restarts = Restarts()
    for number in range(OFTEN - 1):
        restarts.note(float(number))
        assert not restarts.often(float(number))
    assert restarts.total == OFTEN - 1
    restarts.note(10.0)
    assert restarts.often(10.0)
    assert restarts.often(WITHIN_S)
    assert not restarts.often(WITHIN_S + 1)
    assert restarts.last_s() == 10.0


def test_few_over_a_long_time_are_not_often() -> None:
    restarts = Restarts()
    assert restarts.last_s() is None
    for number in range(20):
        restarts.note(number * WITHIN_S / 3)
        assert not restarts.often(number * WITHIN_S / 3)

"""Back-off: doubling, a bound, jitter within half, and a fresh start after what worked."""

from __future__ import annotations

from runtime.backoff import Backoff


def longest(_: float, high: float) -> float:
    return high


def test_pauses_double_up_to_the_longest() -> None:
    backoff = Backoff(first_s=0.5, longest_s=3.0, uniform=longest)
    assert [backoff.pause_s() for _ in range(5)] == [0.5, 1.0, 2.0, 3.0, 3.0]
    assert backoff.failures == 5


def test_pauses_are_cut_by_at_most_a_half_and_differ() -> None:
    pauses = [Backoff(first_s=8.0, longest_s=30.0).pause_s() for _ in range(200)]
    assert all(4.0 <= pause <= 8.0 for pause in pauses)
    assert max(pauses) - min(pauses) > 2.0


def test_reset_begins_anew() -> None:
    backoff = Backoff(first_s=1.0, longest_s=60.0, uniform=longest)
    backoff.pause_s()
    backoff.pause_s()
    backoff.reset()
    assert backoff.pause_s() == 1.0


def test_attempt_that_lasted_long_enough_begins_anew() -> None:
    backoff = Backoff(first_s=1.0, longest_s=60.0, steady_s=10.0, uniform=longest)
    assert [backoff.pause_s(lasted_s) for lasted_s in (0.0, 9.9, 10.0, 0.0)] == [1.0, 2.0, 1.0, 2.0]


def test_failures_for_weeks_do_not_overflow() -> None:
    backoff = Backoff(first_s=0.2, longest_s=15.0, uniform=longest)
    assert {backoff.pause_s() for _ in range(5000)} == {0.2, 0.4, 0.8, 1.6, 3.2, 6.4, 12.8, 15.0}

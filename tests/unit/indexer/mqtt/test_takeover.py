"""A session that another client takes over is told from a broker that restarts and from a lost network."""

from __future__ import annotations

from indexer.mqtt.takeover import CLOSED_MIN, SEEN_S, Takeovers


def taken(times: int, *, every_s: float, failing: bool = False) -> Takeovers:
    seen = Takeovers()
    for n in range(times):
        seen.closed()
        if failing:
            seen.failed()
        seen.opened(n * every_s)
    return seen


def test_connections_closed_again_and_again_are_counted() -> None:
    assert taken(CLOSED_MIN, every_s=1).count(CLOSED_MIN) == CLOSED_MIN


def test_one_that_waits_two_minutes_each_time_is_noticed() -> None:
    assert taken(4, every_s=120).count(3 * 120) == 4


def test_less_may_be_chance() -> None:
    assert taken(CLOSED_MIN - 1, every_s=1).count(CLOSED_MIN) == 0


def test_broker_that_restarts_is_no_other_client() -> None:
    assert taken(50, every_s=1, failing=True).count(50) == 0


def test_connections_that_we_end_are_none() -> None:
    seen = Takeovers()
    for n in range(50):
        seen.opened(n)
    assert seen.count(50) == 0


def test_once_it_is_mended_it_is_forgotten() -> None:
    seen = taken(CLOSED_MIN, every_s=1)
    assert seen.count(SEEN_S - 1) == CLOSED_MIN
    assert seen.count(SEEN_S + CLOSED_MIN) == 0

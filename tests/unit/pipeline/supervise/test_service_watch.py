"""A service that hangs or refuses is started again in time, less and less often, and not for a disk that is full."""

from __future__ import annotations

import itertools

from pipeline.supervise.service_watch import (
    LONGEST_PAUSE_S,
    REFUSING_S,
    SILENT_OUTSIDE_S,
    SILENT_S,
    STEADY_S,
    Outcome,
    ServiceWatch,
)


def restarts(
    watch: ServiceWatch, outcome: Outcome, *, from_s: float, until_s: float, outside: bool = False
) -> list[float]:
    """When it is started again, with a probe every second that always comes to the same."""
    found = []
    for now_s in range(round(from_s), round(until_s)):
        watch.note(outcome, now_s)
        if watch.due(now_s, outside=outside):
            found.append(float(now_s))
            watch.restarted(now_s)
    return found


def test_service_that_hangs_is_started_again_within_its_time() -> None:
    watch = ServiceWatch(0)
    assert restarts(watch, Outcome.WELL, from_s=0, until_s=100) == []
    assert restarts(watch, Outcome.SILENT, from_s=100, until_s=112) == [99 + SILENT_S]


def test_service_that_refuses_gets_longer_as_most_errors_pass() -> None:
    watch = ServiceWatch(0)
    restarts(watch, Outcome.WELL, from_s=0, until_s=100)
    assert restarts(watch, Outcome.REFUSED, from_s=100, until_s=115) == [99 + REFUSING_S]
    watch = ServiceWatch(0)
    assert restarts(watch, Outcome.REFUSED, from_s=0, until_s=9) == []
    watch.note(Outcome.WELL, 9)
    assert restarts(watch, Outcome.REFUSED, from_s=10, until_s=18) == []


def test_service_that_refuses_and_is_silent_by_turns_is_started_again() -> None:
    """As NATS after a full disk: each answer would have put the restart for its silence off."""
    watch = ServiceWatch(0)
    for now_s in range(1, 20, 2):
        watch.note(Outcome.REFUSED if now_s % 4 == 1 else Outcome.SILENT, now_s)
        assert watch.due(now_s, outside=False) == (now_s >= REFUSING_S)
        assert not watch.due(now_s, outside=True)


def test_service_is_left_alone_while_the_machine_is_what_fails_and_given_longer_when_it_hangs() -> None:
    assert restarts(ServiceWatch(0), Outcome.REFUSED, from_s=0, until_s=1000, outside=True) == []
    assert restarts(ServiceWatch(0), Outcome.SILENT, from_s=0, until_s=40, outside=True) == [SILENT_OUTSIDE_S]


def test_pauses_grow_to_a_limit_and_begin_anew_after_a_steady_time() -> None:
    watch = ServiceWatch(0)
    found = restarts(watch, Outcome.REFUSED, from_s=0, until_s=10_000)
    pauses = [after - before for before, after in itertools.pairwise(found)]
    assert pauses == sorted(pauses)
    assert pauses[-1] == LONGEST_PAUSE_S
    assert len(found) < 20
    restarts(watch, Outcome.WELL, from_s=10_000, until_s=10_000 + 2 * STEADY_S)
    again_s = 10_000 + 2 * STEADY_S
    assert len(restarts(watch, Outcome.REFUSED, from_s=again_s, until_s=again_s + 100)) >= 2


def test_failing_says_since_when() -> None:
    watch = ServiceWatch(0)
    watch.note(Outcome.WELL, 5)
    assert not watch.failing
    assert watch.failing_for_s(9) == 0
    watch.note(Outcome.SILENT, 8)
    assert watch.failing
    assert watch.failing_for_s(9) == 4

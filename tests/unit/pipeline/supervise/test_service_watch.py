"""A service that hangs or refuses is started again in time, less and less often, and not for a disk that is full."""

from __future__ import annotations

import itertools

from pipeline.supervise.service_watch import LONGEST_PAUSE_S, REFUSING_S, SILENT_S, STEADY_S, Outcome, ServiceWatch


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
    assert restarts(watch, Outcome.SILENT, from_s=100, until_s=125) == [99 + SILENT_S]


def test_service_that_refuses_gets_longer_as_most_errors_pass() -> None:
    watch = ServiceWatch(0)
    restarts(watch, Outcome.WELL, from_s=0, until_s=100)
    assert restarts(watch, Outcome.REFUSED, from_s=100, until_s=135) == [99 + REFUSING_S]
    watch = ServiceWatch(0)
    assert restarts(watch, Outcome.REFUSED, from_s=0, until_s=20) == []
    watch.note(Outcome.WELL, 20)
    assert restarts(watch, Outcome.REFUSED, from_s=21, until_s=45) == []


def test_service_is_left_alone_while_the_machine_is_what_fails_but_not_when_it_hangs() -> None:
    assert restarts(ServiceWatch(0), Outcome.REFUSED, from_s=0, until_s=1000, outside=True) == []
    assert restarts(ServiceWatch(0), Outcome.SILENT, from_s=0, until_s=20, outside=True) == [SILENT_S]


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

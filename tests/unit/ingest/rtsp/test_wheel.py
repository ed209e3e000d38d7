"""The wheel on uvloop, which gives no timer for a time that is already past."""

from __future__ import annotations

import asyncio
import itertools
import statistics
import time
from collections.abc import Callable

import uvloop

from ingest.rtsp.wheel import Wheel


async def until(there: Callable[[], bool]) -> None:
    """Waits for it, and then for what the wheel does too much in the next turns."""
    async with asyncio.timeout(20):
        while not there():  # noqa: ASYNC110
            await asyncio.sleep(0.01)
    await asyncio.sleep(0.05)


class Visitor:
    def __init__(self, then: Callable[[], None] | None = None) -> None:
        self.visits = 0
        self._then = then

    def visit(self) -> float | None:
        self.visits += 1
        if self._then is not None:
            self._then()
        return None


def test_one_visit_that_fails_costs_the_others_nothing() -> None:
    async def turns() -> list[int]:
        wheel = Wheel()

        def fail() -> None:
            raise ValueError("what a camera sent was not foreseen")

        broken, other, later = Visitor(fail), Visitor(), Visitor()
        for visitor in (broken, other):
            wheel.schedule(visitor, 0.0)
        await until(lambda: broken.visits > 0 and other.visits > 0)
        wheel.schedule(later, 0.0)
        await until(lambda: later.visits > 0)
        return [broken.visits, other.visits, later.visits]

    assert uvloop.run(turns()) == [1, 1, 1]


def test_wheel_takes_a_visitor_while_what_it_waits_for_is_past() -> None:
    async def late() -> list[int]:
        loop, wheel = asyncio.get_running_loop(), Wheel()
        second, third = Visitor(), Visitor()

        def hold_up() -> None:
            time.sleep(0.4)  # the next visit is overdue when this turn ends
            loop.call_soon(wheel.schedule, third, 0.0)  # before the wheel wakes for it

        first = Visitor(hold_up)
        wheel.schedule(first, 0.0)
        wheel.schedule(second, 0.15)
        await until(lambda: all(each.visits for each in (first, second, third)))
        return [first.visits, second.visits, third.visits]

    failures: list[object] = []
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.get_loop().set_exception_handler(lambda _, context: failures.append(context))
        assert runner.run(late()) == [1, 1, 1]
    assert failures == []


class Regular:
    """Visited again and again; notes when."""

    def __init__(self, pause_s: float) -> None:
        self.pause_s = pause_s
        self.at_s: list[float] = []

    def visit(self) -> float | None:
        self.at_s.append(asyncio.get_running_loop().time())
        return self.pause_s


def test_those_with_the_same_pause_come_to_be_visited_together() -> None:
    """They begin one after another, all over the pause; soon a turn has them all, and none waits longer than it may."""

    async def turns() -> list[list[float]]:
        wheel = Wheel()
        visitors = [Regular(0.25) for _ in range(12)]
        for visitor in visitors:
            wheel.schedule(visitor, 0.25)
            await asyncio.sleep(0.033)
        await until(lambda: all(len(visitor.at_s) >= 9 for visitor in visitors))
        return [visitor.at_s for visitor in visitors]

    seen = uvloop.run(turns())
    last = [times[-1] for times in seen]
    assert max(last) - min(last) < 0.01
    pauses = [after - before for times in seen for before, after in itertools.pairwise(times)]
    assert min(pauses) > 0.1
    assert statistics.median(pauses[-12:]) > 0.2  # the shorter ones were of the beginning


def test_a_turn_of_many_lets_others_in() -> None:
    """Of 200 that are due at once, some are visited after what the loop had to do meanwhile; each once."""

    async def turns() -> tuple[int, list[int]]:
        wheel, loop = Wheel(), asyncio.get_running_loop()
        between = -1
        visitors: list[Visitor] = []

        def count() -> None:
            nonlocal between
            between = sum(visitor.visits for visitor in visitors)

        visitors += [Visitor(lambda: loop.call_soon(count) and None), *(Visitor() for _ in range(199))]
        for visitor in visitors:
            wheel.schedule(visitor, 0.05)
        await until(lambda: all(visitor.visits for visitor in visitors))
        return between, [visitor.visits for visitor in visitors]

    between, visits = uvloop.run(turns())
    assert visits == [1] * 200
    assert 0 < between < 200

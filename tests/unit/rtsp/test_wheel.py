"""The wheel on uvloop, which gives no timer for a time that is already past."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

import uvloop

from ingest.rtsp.wheel import Wheel


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
        await asyncio.sleep(0.2)
        wheel.schedule(later, 0.0)
        await asyncio.sleep(0.2)
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
        await asyncio.sleep(1)
        return [first.visits, second.visits, third.visits]

    failures: list[object] = []
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.get_loop().set_exception_handler(lambda _, context: failures.append(context))
        assert runner.run(late()) == [1, 1, 1]
    assert failures == []

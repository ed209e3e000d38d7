"""The wheel on uvloop, which gives no timer for a time that is already past."""

from __future__ import annotations

import asyncio
import time

import uvloop

from ingest.rtsp.wheel import Wheel


class Visitor:
    def __init__(self) -> None:
        self.visits = 0

    def visit(self) -> float | None:
        self.visits += 1
        return None


def test_wheel_takes_a_visitor_after_the_loop_was_late() -> None:
    async def late() -> tuple[Visitor, Visitor]:
        wheel, first, second = Wheel(), Visitor(), Visitor()
        wheel.schedule(first, 0.02)
        time.sleep(0.5)  # the loop is busy: what the wheel waits for is over  # noqa: ASYNC251
        wheel.schedule(second, 0.0)
        wheel.schedule(second, 0.0)
        await asyncio.sleep(0.3)
        return first, second

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        first, second = runner.run(late())
    assert first.visits == 1
    assert second.visits == 2

"""The door of a service: shut after a failure, for all at once, and open again when an attempt has passed."""

from __future__ import annotations

import asyncio

from ingest.recording.retry import Gate
from runtime.backoff import Backoff


def gate(now: list[float]) -> Gate:
    return Gate(lambda: now[0], Backoff(first_s=1.0, longest_s=30.0, uniform=lambda _, high: high))


async def is_open(one: Gate) -> bool:
    try:
        async with asyncio.timeout(0):
            await one.wait()
    except TimeoutError:
        return False
    return True


async def test_gate_is_shut_after_a_failure_and_longer_after_each_further_one() -> None:
    now = [0.0]
    one = gate(now)
    assert await is_open(one)
    for pause_s in (1.0, 2.0, 4.0):
        one.failed()
        now[0] += pause_s - 0.1
        assert not await is_open(one)
        now[0] += 0.1
        assert await is_open(one)


async def test_attempts_that_fail_together_count_as_one() -> None:
    now = [0.0]
    one = gate(now)
    for _ in range(4):
        one.failed()
    now[0] = 1.0
    assert await is_open(one)


async def test_passed_attempt_opens_at_once_and_begins_anew() -> None:
    now = [0.0]
    one = gate(now)
    one.failed()
    now[0] = 1.0
    one.failed()
    one.passed()
    assert await is_open(one)
    one.failed()
    now[0] = 2.0
    assert await is_open(one)

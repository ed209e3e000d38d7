"""An embedded service that ends, hangs or refuses is started again; one that works, or a full disk, is left alone."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path
from typing import Any, cast

import pytest

from domain.errors import PeerError
from pipeline.errors import ServiceError
from pipeline.supervise import service_monitor
from pipeline.supervise.restarts import OFTEN
from pipeline.supervise.service_monitor import (
    KNOWN_S,
    PROBE_EVERY_S,
    ServiceFailingError,
    ServiceMonitor,
    Standstill,
)


class Fake:
    """A service, its process, and all services at once. ``answer``: what a probe comes to."""

    def __init__(self) -> None:
        self.process = self
        self.running = True
        self.answer: Exception | None = None
        self.starts = 0
        self.forced: list[bool] = []

    def alive(self) -> bool:
        return self.running

    def last_words(self) -> str:
        return "out of memory"

    async def probe(self) -> None:
        if isinstance(self.answer, TimeoutError):
            await asyncio.sleep(3600)
        if self.answer is not None:
            raise self.answer

    async def end(self, name: str, *, by_force: bool) -> None:
        self.forced.append(by_force)

    async def again(self, name: str, say: Any) -> bool:
        self.starts, self.running, self.answer = self.starts + 1, True, None
        return False

    def __getitem__(self, name: str) -> Fake:
        return self


class Clock:
    def __init__(self) -> None:
        self.now_s = 0.0

    def __call__(self) -> float:
        return self.now_s


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def fake() -> Fake:
    return Fake()


@pytest.fixture
def monitor(fake: Fake, clock: Clock, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ServiceMonitor:
    monkeypatch.setattr(service_monitor, "PROBE_TIMEOUT_S", 0.01)
    return ServiceMonitor("broker", cast("Any", fake), tmp_path, lambda _: None, clock_s=clock)


async def looks(monitor: ServiceMonitor, clock: Clock, seconds: float) -> None:
    for _ in range(int(seconds / PROBE_EVERY_S)):
        clock.now_s += PROBE_EVERY_S
        await monitor.look()


async def test_service_that_works_is_left_alone(monitor: ServiceMonitor, fake: Fake, clock: Clock) -> None:
    await looks(monitor, clock, 3600)
    assert fake.starts == 0
    assert monitor.problem() is None
    assert monitor.status() == {"state": "working", "failing_s": 0.0, "answered_s": 0.0, "restarts": 0}


async def test_service_that_ended_is_started_at_the_next_look(monitor: ServiceMonitor, fake: Fake) -> None:
    fake.running = False
    assert monitor.problem() is not None
    assert monitor.status()["state"] == "failing"
    await monitor.look()
    assert fake.starts == 1
    assert monitor.problem() is None


async def test_answer_that_is_too_old_says_nothing_of_now(monitor: ServiceMonitor, clock: Clock) -> None:
    """A probe that is under way holds the next look up: the service may hang."""
    await looks(monitor, clock, 4)
    clock.now_s += KNOWN_S
    assert monitor.status()["state"] == "working"
    clock.now_s += 0.1
    assert monitor.status()["state"] == "unknown"
    assert "last answer is 4 s old" in str(monitor.problem())


async def test_slow_disk_gives_a_service_that_hangs_longer(
    monitor: ServiceMonitor, fake: Fake, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def slow(_: Path) -> bool:
        return True

    monkeypatch.setattr(service_monitor, "is_slow", slow)
    fake.answer = TimeoutError()
    await looks(monitor, clock, 20)
    assert fake.starts == 0
    await looks(monitor, clock, 20)
    assert fake.starts == 1


async def test_service_that_hangs_is_ended_by_force(monitor: ServiceMonitor, fake: Fake, clock: Clock) -> None:
    fake.answer = TimeoutError()
    await looks(monitor, clock, 8)
    assert fake.forced == [True]
    assert fake.starts == 1


async def test_service_that_refuses_is_ended_in_good_order(monitor: ServiceMonitor, fake: Fake, clock: Clock) -> None:
    fake.answer = PeerError("JetStream is out of resources.")
    await looks(monitor, clock, 8)
    problem = monitor.problem()
    assert problem is not None
    assert "out of resources" in str(problem)
    assert fake.starts == 0
    await looks(monitor, clock, 8)
    assert fake.forced == [False]


async def test_full_disk_is_said_and_not_answered_with_restarts(
    monitor: ServiceMonitor, fake: Fake, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(service_monitor, "disk_trouble", lambda _: "is full")
    fake.answer = PeerError("no")
    await looks(monitor, clock, 300)
    assert fake.starts == 0
    assert "is full" in str(monitor.problem())
    monkeypatch.setattr(service_monitor, "disk_trouble", lambda _: "")
    await looks(monitor, clock, 10)
    assert fake.starts == 1


async def test_service_that_hangs_over_a_full_disk_is_started_again_soon_after_it(
    monitor: ServiceMonitor, fake: Fake, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A probe begun while the disk was full held the restart up for its whole time."""
    monkeypatch.setattr(service_monitor, "disk_trouble", lambda _: "is full")
    monkeypatch.setattr(service_monitor, "PROBE_TIMEOUT_TROUBLED_S", 0.01)
    fake.answer = TimeoutError()
    await looks(monitor, clock, 20)
    monkeypatch.setattr(service_monitor, "PROBE_TIMEOUT_S", 3600)
    monkeypatch.setattr(service_monitor, "disk_trouble", lambda _: "")
    async with asyncio.timeout(10):
        await looks(monitor, clock, PROBE_EVERY_S)
    assert fake.starts == 1


async def test_ending_again_and_again_is_a_problem_though_it_runs(
    monitor: ServiceMonitor, fake: Fake, clock: Clock
) -> None:
    for _ in range(OFTEN):
        fake.running = False
        clock.now_s += 1
        await monitor.look()
    assert "again and again. It ended (out of memory)" in str(monitor.problem())
    assert monitor.status()["state"] == "working"
    clock.now_s += 1200
    await monitor.look()
    assert monitor.problem() is None


async def test_full_disk_is_the_reason_that_is_said_when_a_service_ends_and_does_not_come_up(
    monitor: ServiceMonitor, fake: Fake, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def refuse(name: str, say: Any) -> bool:
        raise ServiceError("database ended at its start: exit code 1.", "Its log: logs/database.log")

    monkeypatch.setattr(service_monitor, "disk_trouble", lambda _: "is full")
    monkeypatch.setattr(fake, "again", refuse)
    said: list[str] = []
    monkeypatch.setattr(monitor, "_say", said.append)
    fake.running = False
    with pytest.raises(ServiceFailingError, match=r"is full\. Make room"):
        await monitor.look()
    assert "is full." in said[0]
    assert "is full" in str(monitor.problem())


async def test_probe_that_this_process_missed_by_standing_still_does_not_count(
    fake: Fake, clock: Clock, monitor: ServiceMonitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`up` did other work for six seconds: the broker, which worked, was started again for that."""

    async def stand_still() -> None:
        await asyncio.sleep(0)
        time.sleep(0.3)  # noqa: ASYNC251 (the fault)
        await asyncio.sleep(3600)

    monkeypatch.setattr(fake, "probe", stand_still)
    await looks(monitor, clock, 20)
    assert fake.starts == 0


async def test_standstill_is_the_longest_time_without_a_turn() -> None:
    async with Standstill() as calm:
        await asyncio.sleep(0.15)
    async with Standstill() as blocked:
        await asyncio.sleep(0.06)
        time.sleep(0.3)  # noqa: ASYNC251 (the fault)
        await asyncio.sleep(0)
    assert blocked.longest_s > 0.2
    assert blocked.longest_s > calm.longest_s

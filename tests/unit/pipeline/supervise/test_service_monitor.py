"""An embedded service that ends, hangs or refuses is started again; one that works, or a full disk, is left alone."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any, cast

import pytest

from domain.errors import PeerError
from pipeline.supervise import service_monitor
from pipeline.supervise.restarts import OFTEN
from pipeline.supervise.service_monitor import PROBE_EVERY_S, ServiceMonitor


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
    assert monitor.status() == {"state": "working", "failing_s": 0.0, "restarts": 0}


async def test_service_that_ended_is_started_at_the_next_look(monitor: ServiceMonitor, fake: Fake) -> None:
    fake.running = False
    assert monitor.problem() is not None
    await monitor.look()
    assert fake.starts == 1
    assert monitor.problem() is None


async def test_service_that_hangs_is_ended_by_force(monitor: ServiceMonitor, fake: Fake, clock: Clock) -> None:
    fake.answer = TimeoutError()
    await looks(monitor, clock, 20)
    assert fake.forced == [True]
    assert fake.starts == 1


async def test_service_that_refuses_is_ended_in_good_order(monitor: ServiceMonitor, fake: Fake, clock: Clock) -> None:
    fake.answer = PeerError("JetStream is out of resources.")
    await looks(monitor, clock, 20)
    problem = monitor.problem()
    assert problem is not None
    assert "out of resources" in str(problem)
    assert fake.starts == 0
    await looks(monitor, clock, 20)
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


async def test_ending_again_and_again_is_a_problem_though_it_runs(
    monitor: ServiceMonitor, fake: Fake, clock: Clock
) -> None:
    for _ in range(OFTEN):
        fake.running = False
        clock.now_s += 1
        await monitor.look()
    assert "again and again" in str(monitor.problem())
    assert monitor.status()["state"] == "working"
    clock.now_s += 1200
    await monitor.look()
    assert monitor.problem() is None

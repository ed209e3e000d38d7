"""An embedded service that ends by itself is started again; what moved is told, what runs is left alone."""

from __future__ import annotations

import asyncio
import threading
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from pipeline.services import Services


class Fake:
    """A broker whose every start may listen elsewhere."""

    def __init__(self, port: int) -> None:
        self.port, self.running = port, True
        self.process = SimpleNamespace(alive=lambda: self.running, last_words=lambda: "out of memory")

    def stop(self) -> None:
        self.running = False


def services(*ports: int) -> tuple[Services, list[Fake]]:
    made: list[Fake] = []

    def start() -> Fake:
        made.append(Fake(ports[len(made)]))
        return made[-1]

    found = Services()
    found._starters["broker"] = cast("Any", start)
    return found, made


async def test_service_that_ended_is_started_again_and_it_is_said() -> None:
    found, made = services(1883, 1883)
    said: list[str] = []
    await found._run("broker")
    await found.end("broker", by_force=False)
    assert not made[0].running
    assert not await found.again("broker", said.append)
    assert len(made) == 2
    assert said == ["  broker is up again"]
    found.close()
    assert not made[1].running


async def test_each_log_is_named_as_every_remedy_names_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    logs: list[tuple[str, str]] = []

    async def start(self: Services, name: str, starter: Any, directory: Path, log: Path, say: Any) -> None:
        logs.append((name, log.name))

    monkeypatch.setattr(Services, "_start", start)
    nothing: Any = SimpleNamespace(config=SimpleNamespace(database=None, broker=None, store=None, door_system=()))
    place: Any = SimpleNamespace(root=tmp_path, logs=tmp_path / "logs", client_id="ours")
    await Services().start(nothing, place, lambda _: None)
    assert logs == [(name, f"{name}.log") for name in ("database", "broker", "store")]


async def test_service_that_moved_is_told() -> None:
    found, made = services(1883, 1884)
    await found._run("broker")
    made[0].running = False
    assert await found.again("broker", lambda _: None)
    assert found.endpoints["broker"]["port"] == 1884
    found.close()


async def test_start_under_way_when_all_is_stopped_leaves_nothing_running() -> None:
    go, made = threading.Event(), []

    def start() -> Fake:
        go.wait(30)
        made.append(Fake(1883))
        return made[0]

    found = Services()
    found._starters["broker"] = cast("Any", start)
    running = asyncio.create_task(found._run("broker"))
    await asyncio.sleep(0.05)
    running.cancel()
    asyncio.get_running_loop().call_later(0.05, go.set)
    with pytest.raises(asyncio.CancelledError):
        await running
    found.close()
    assert [fake.running for fake in made] == [False]

"""The dead-man's URL is called while everything essential is well, and not while it is not."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from alarms import role
from tests.integration.alarms.test_role import notifying
from tests.support.alarms.gym import gym, settings_of
from tests.unit.alarms.send.test_http import receiving


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(role, "LOOK_EVERY_S", 0.05)
    monkeypatch.setattr(role, "DEAD_MAN_EVERY_S", 0.1)


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(20):
        while not condition():  # noqa: ASYNC110
            await asyncio.sleep(0.05)


@pytest.mark.parametrize("trouble", ["role", "store"])
async def test_called_while_all_is_well_and_only_then(tmp_path: Path, trouble: str) -> None:
    with receiving() as receiver:
        async with gym(tmp_path) as place, notifying(settings_of(tmp_path, dead_man_url=receiver.url)):
            place.cameras[0] = "connecting"  # alarms are for one camera; this is for what stops everything
            await until(lambda: len(receiver.requests) > 3)
            if trouble == "role":
                place.silent.add("index")
            else:
                place.parts["store"] = False
            await until(lambda: trouble in raised(tmp_path))
            await asyncio.sleep(0.3)  # for a call that was on its way
            before = len(receiver.requests)
            await asyncio.sleep(1.0)
            assert len(receiver.requests) == before
            place.silent.clear()
            place.parts["store"] = True
            await until(lambda: len(receiver.requests) > before)


def raised(directory: Path) -> list[str]:
    status = json.loads((directory / "run" / "notify-0.json").read_text())
    return [one["kind"] for one in status["raised"]]

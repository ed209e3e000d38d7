"""The other parts are asked at once, and none of them is waited for longer than the probe's time."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path
from typing import Any, cast

import pytest

from api.health import parts as module
from api.health.parts import Parts
from domain.errors import RetryableError


class Answers:
    """A pool, a store and a custodian in one. ``how``: an exception, or seconds to wait."""

    def __init__(self, how: Exception | float) -> None:
        self.how = how

    async def fetchval(self, *_: object) -> object:
        return await self._answer()

    async def stat(self, *_: object) -> object:
        return await self._answer()

    async def identity(self) -> object:
        return await self._answer()

    async def _answer(self) -> object:
        if isinstance(self.how, Exception):
            raise self.how
        await asyncio.sleep(self.how)
        return None


def machine(database: Any, store: Any, custodian: Any) -> Parts:
    made = [cast("Any", Answers(how)) for how in (database, store, custodian)]
    return Parts(pool=made[0], store=made[1], custodian=made[2], run_directory=Path())


@pytest.mark.parametrize("failure", [RetryableError("away"), OSError(), TimeoutError()])
async def test_part_that_fails_does_not_answer_and_the_others_do(failure: Exception) -> None:
    assert await machine(0, failure, 0).probe() == {"database": True, "store": False, "custodian": True}
    assert await machine(failure, 0, failure).probe() == {"database": False, "store": True, "custodian": False}


async def test_parts_that_are_silent_are_waited_for_together(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "PROBE_S", 0.1)
    began_s = time.monotonic()
    assert set((await machine(60, 60, 60).probe()).values()) == {False}
    assert time.monotonic() - began_s < 30


async def test_mistake_of_ours_is_not_taken_for_a_part_that_is_away() -> None:
    with pytest.raises(ZeroDivisionError):
        await machine(0, ZeroDivisionError(), 0).probe()

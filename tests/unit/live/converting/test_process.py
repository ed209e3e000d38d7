"""The converting process: confined, and gone with its block, also when it never answers."""

from __future__ import annotations

import os
from typing import Any

import pytest

from live.converting import process as module
from live.converting.process import converting_process
from runtime.sandbox.held import ALL


async def test_it_is_confined_and_goes_with_the_block() -> None:
    async with converting_process() as made:
        assert (set(made.held.holds), made.held.lacks) == (set(ALL), ())
    assert made.process.returncode is not None
    with pytest.raises(ProcessLookupError):
        os.kill(made.process.pid, 0)


@pytest.mark.parametrize(("said", "error"), [("sleep 30", TimeoutError), ("true", ConnectionError)])
async def test_one_that_does_not_say_what_confines_it_is_ended(
    monkeypatch: pytest.MonkeyPatch, said: str, error: type[Exception]
) -> None:
    def command(_: str) -> tuple[Any, ...]:
        return ("/bin/sh", "-c", f"exec {said}")

    monkeypatch.setattr(module, "worker_command", command)
    monkeypatch.setattr(module, "worker_environment", lambda: dict(os.environ))
    monkeypatch.setattr(module, "START_S", 0.5)
    with pytest.raises(error):
        async with converting_process():
            raise AssertionError

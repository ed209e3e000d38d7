"""The indexer's status says how it is while everything else hangs: it waits for no answer of anybody."""

from __future__ import annotations

import asyncio
import contextlib
from pathlib import Path
from typing import Any, cast

import pytest

from indexer import role
from indexer.events.rules import Rules
from indexer.settings import BrokerSettings, IndexSettings
from runtime.settings import DatabaseSettings
from runtime.status import read_status_files


class HangingPool:
    """A database that takes every question and answers none."""

    async def fetchrow(self, *_: object) -> None:
        await asyncio.Event().wait()

    fetch = fetchval = execute = fetchrow

    @contextlib.asynccontextmanager
    async def acquire(self) -> Any:
        await asyncio.Event().wait()
        yield


def settings(folder: Path) -> IndexSettings:
    return IndexSettings(
        database=DatabaseSettings(host="nowhere", port=1, database="x", user="x", password="x"),
        broker=BrokerSettings(host="127.0.0.1", port=1, user_name="x", password="x", client_id="x"),
        topics=(),
        doors=(),
        custodian_socket=folder / "custodian.sock",
        run_directory=folder,
    )


async def test_status_is_written_and_forgets_the_lag_while_the_database_hangs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(role, "LAG_EVERY_S", 0.05)
    monkeypatch.setattr(role, "STOP_S", 0.1)
    stop, written = asyncio.Event(), set[int]()
    working = asyncio.create_task(role._Role(settings(tmp_path), Rules(()), cast("Any", HangingPool())).work(stop))
    async with asyncio.timeout(30):
        while True:
            await asyncio.sleep(0.02)
            found = read_status_files(tmp_path)
            written |= {status["updated_ns"] for status in found}
            if len(written) >= 3 and found and found[0]["outbox_oldest_s"] is None:
                break
    assert any("broker" in problem["what"] for problem in found[0]["problems"])
    stop.set()
    await working
    assert read_status_files(tmp_path) == []

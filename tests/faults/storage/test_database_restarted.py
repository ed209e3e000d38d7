"""PostgreSQL killed while a commit is in its hands, and started again: all of it, the server and every backend."""

from __future__ import annotations

import asyncio
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from pipeline.embedded.accounts import ROLES
from pipeline.embedded.postgres import Postgres, start_postgres
from pipeline.embedded.provision import provision
from runtime.database import connect
from runtime.settings import DatabaseSettings, StoreSettings
from storage.catalogue.migrate import migrate
from tests.conftest import Database
from tests.support.processes.in_turn import kill_all
from tests.support.processes.killed_recorder import Stage, stage

pytestmark = [pytest.mark.slow, pytest.mark.services, pytest.mark.timeout(3600)]

IN_CI = 1


class Server:
    """A durable cluster of its own."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self.running = self._start()

    def _start(self) -> Postgres:
        return start_postgres(self._directory / "pg", log=self._directory / "pg.log")

    async def restart(self) -> None:
        kill_all(self.running.process)
        self.running = await asyncio.to_thread(self._start)

    async def made(self) -> Database:
        await provision(self.running.settings(), {role: f"test-{role}" for role in ROLES}, "tallenne")
        await migrate(self._settings("owner"))
        roles = ("owner", "ingest", "index", "custodian", "serve", "keeper")
        return Database(**{role: self._settings(role) for role in roles})

    def _settings(self, role: str) -> DatabaseSettings:
        if role == "owner":
            return self.running.settings(database="tallenne")
        return self.running.settings(f"tallenne_{role}", f"test-tallenne_{role}", "tallenne")


@asynccontextmanager
async def scenery(store: StoreSettings, directory: Path, log: Path | None) -> AsyncIterator[tuple[Server, Stage]]:
    with tempfile.TemporaryDirectory(prefix="tallenne-pg-") as folder:
        server = await asyncio.to_thread(Server, Path(folder))
        try:
            async with stage(await server.made(), store, directory, log=log) as made:
                yield server, made
        finally:
            server.running.stop()


@asynccontextmanager
async def in_flight(database: DatabaseSettings) -> AsyncIterator[None]:
    """The body runs once a commit of the recorder waits for a lock, which is held until the server dies."""
    holder = await connect(database)
    await holder.execute("BEGIN")
    await holder.execute("LOCK TABLE segment_identity IN ACCESS EXCLUSIVE MODE")
    watcher = await connect(database)
    query = """
        SELECT count(*) FROM pg_stat_activity
        WHERE application_name = 'record-process' AND state = 'active' AND wait_event_type = 'Lock'
    """
    async with asyncio.timeout(20):
        while not await watcher.fetchval(query):  # noqa: ASYNC110
            await asyncio.sleep(0.01)
    await watcher.close()
    yield
    holder.terminate()


async def test_database_killed_in_mid_commit_loses_and_doubles_nothing(
    store: StoreSettings, tmp_path: Path, rounds_asked: int | None, seed: int, figures: Path | None
) -> None:
    times = rounds_asked or IN_CI
    async with scenery(store, tmp_path, figures) as (server, made):
        scene = await made.scene()
        assert await scene.run(seed=seed, segments=1) == 0  # the keys are known and cached from now on
        for number in range(times):
            recording = asyncio.create_task(
                scene.run(seed=seed + number, segments=6, pause_s=0.01, drain_s=40.0, first_wait_s=0.05)
            )
            async with in_flight(made.database.owner):
                began_s = time.monotonic()
                await server.restart()
            assert await recording == 0, scene.said()
            scene.struck_at.append(round((time.monotonic() - began_s) * 1000))
        await scene.ended(seed=seed)
        verdict = await scene.verdict("database killed in mid-commit", seed)
        assert verdict.lost == 0
        assert verdict.acknowledged >= times * 12

"""The database dies in mid-commit, the store answers 503, resets, is slow, loses replies: all of it comes out right."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from storage.settings import StoreSettings
from tests.conftest import Database
from tests.support.faulty_proxy import Fault, FaultyProxy, faulty_proxy
from tests.support.killed_recorder import Scene, Stage, stage
from tests.support.record_process import read_account

pytestmark = [pytest.mark.slow, pytest.mark.services]

_NETWORK = (
    Fault.BUSY,
    Fault.BUSY_AT_ONCE,
    Fault.RESET,
    Fault.RESET_MIDWAY,
    Fault.LOSE_REPLY,
    Fault.FLIP,
    Fault.CUT_REPLY,
)


@pytest.fixture
async def scenery(
    database: Database, store: StoreSettings, tmp_path: Path, figures: Path | None
) -> AsyncIterator[Stage]:
    async with stage(database, store, tmp_path) as made:
        made.log = figures
        yield made


@asynccontextmanager
async def beside(work: object) -> AsyncIterator[None]:
    task = asyncio.ensure_future(work)  # type: ignore[call-overload]
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def recorded(scene: Scene, seed: int, **task: object) -> None:
    code = await scene.run(seed=seed, segments=8, drain_s=25.0, **task)
    assert code == 0, (scene.directory / "process.log").read_text()[-3000:]
    assert read_account(scene.directory / "account")[-1]["k"] == "end"


async def test_store_that_misbehaves_loses_and_doubles_nothing(scenery: Stage, rounds: int, seed: int) -> None:
    for number in range(rounds):
        scene = await scenery.scene(cameras=3)
        async with faulty_proxy(scenery.store.endpoint) as proxy:
            dice = random.Random(seed + number)
            faults = dice.sample(_NETWORK, len(_NETWORK))
            proxy.faults.extend(item for fault in faults for item in (fault, Fault.PASS))
            await recorded(scene, seed + number, store=replace(scenery.store, endpoint=proxy.endpoint))
            assert not proxy.faults  # positive control: all of them happened
        await scene.ended(seed=seed)
        figures = await scene.verdict("store misbehaves", number)
        assert figures.lost == 0


@pytest.mark.parametrize("fault", [Fault.SLOW, Fault.LOSE_REPLY])
async def test_store_that_always_misbehaves_is_waited_out(scenery: Stage, seed: int, fault: Fault) -> None:
    scene = await scenery.scene()
    async with faulty_proxy(scenery.store.endpoint) as proxy:
        proxy.always = fault

        async def mend() -> None:
            await asyncio.sleep(2.0)
            proxy.always = None

        async with beside(mend()):
            await recorded(scene, seed, store=replace(scenery.store, endpoint=proxy.endpoint))
    await scene.ended(seed=seed)
    figures = await scene.verdict(f"store {fault.name}", 0)
    assert figures.lost == 0


async def test_database_whose_backends_die_in_mid_commit_loses_and_doubles_nothing(
    scenery: Stage, rounds: int, seed: int
) -> None:
    killed = [0]

    async def kill_backends(dice: random.Random) -> None:
        query = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'record-process'"
        until = killed[0] + 8
        while killed[0] < until:  # then it is let finish
            killed[0] += len(await scenery.owner.fetch(query))
            await asyncio.sleep(dice.uniform(0.005, 0.06))

    for number in range(rounds):
        scene = await scenery.scene(cameras=3)
        async with beside(kill_backends(random.Random(seed + number))):
            await recorded(scene, seed + number, pause_s=0.01)
        await scene.ended(seed=seed)
        figures = await scene.verdict("backends die", number)
        assert figures.lost == 0
    assert killed[0] > rounds


async def test_database_that_holds_up_commits_does_not_hold_up_recording(scenery: Stage, seed: int) -> None:
    """Somebody holds a lock on the table for two seconds: commits wait, footage and its acknowledgement do not."""
    scene = await scenery.scene()

    async def lock() -> None:
        async with scenery.owner.acquire() as conn, conn.transaction():
            await conn.execute("LOCK TABLE segment_identity IN ACCESS EXCLUSIVE MODE")
            await asyncio.sleep(2.0)

    async with beside(lock()):
        await recorded(scene, seed)
    await scene.ended(seed=seed)
    figures = await scene.verdict("lock held", 0)
    assert figures.lost == 0
    assert figures.acknowledged > 16


async def test_both_away_then_killed_then_both_back(scenery: Stage, rounds: int, seed: int) -> None:
    for number in range(rounds):
        scene = await scenery.scene()
        nothing = {"store": scene.without_store(), "database": replace(scenery.database.ingest, port=9)}
        assert await scene.run(seed=seed, segments=1) == 0  # the keys are known and cached from now on
        assert await scene.killed("spool.append.chunks=kill@25", seed=seed + number, segments=8, **nothing)
        assert await scene.killed("spool.append.chunks=kill@9", seed=seed + number, segments=8, **nothing)
        assert await scene.run(seed=seed + number, segments=2, **nothing) == 0
        await scene.ended(seed=seed)
        await scene.verdict("both away", number)


async def test_proxy_does_what_it_is_told(scenery: Stage, seed: int) -> None:
    """Positive control: a store behind a proxy that only loses replies never has its segments committed."""
    scene = await scenery.scene()
    async with faulty_proxy(scenery.store.endpoint) as proxy:
        assert isinstance(proxy, FaultyProxy)
        proxy.always = Fault.BUSY
        code = await scene.run(
            seed=seed, segments=2, drain_s=1.5, store=replace(scenery.store, endpoint=proxy.endpoint)
        )
        assert code == 0
    assert scene.known == ()
    with pytest.raises(AssertionError):
        await scene.verdict("unfinished", 0)

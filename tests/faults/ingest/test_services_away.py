"""The database dies in mid-commit, the store answers 503, resets, is slow, loses replies: all of it comes out right."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from runtime.settings import StoreSettings
from tests.conftest import Database
from tests.faults.ingest.test_killed_recorder import A_SCENE
from tests.support.faults.deaf_database import deaf_database
from tests.support.faults.faulty_proxy import Fault, FaultyProxy, faulty_proxy
from tests.support.processes.killed_recorder import Scene, Stage, stage
from tests.support.processes.record_process import read_account

pytestmark = [pytest.mark.slow, pytest.mark.services, pytest.mark.timeout(3600)]

_NETWORK = (
    Fault.BUSY,
    Fault.BUSY_AT_ONCE,
    Fault.RESET,
    Fault.RESET_MIDWAY,
    Fault.LOSE_REPLY,
    Fault.FLIP,
    Fault.CUT_REPLY,
)


IN_CI = 6  # of what cannot be had by the dozen in a second


@pytest.fixture
async def scenery(
    database: Database, store: StoreSettings, tmp_path: Path, figures: Path | None
) -> AsyncIterator[Stage]:
    async with stage(database, store, tmp_path, log=figures) as made:
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
    code = await scene.run(seed=seed, **{"segments": 8, "drain_s": 25.0, **task})
    assert code == 0, (scene.directory / "process.log").read_text()[-3000:]
    assert read_account(scene.directory / "account")[-1]["k"] == "end"


async def test_store_that_misbehaves_loses_and_doubles_nothing(scenery: Stage, rounds: int, seed: int) -> None:
    """Each fault as often as ``--rounds`` says, in an order that the seed decides."""
    done: Counter[Fault] = Counter()
    for number in range(0, rounds, A_SCENE):
        scene = await scenery.scene(cameras=3)
        async with faulty_proxy(scenery.store.endpoint) as proxy:
            faults = [fault for fault in _NETWORK for _ in range(min(A_SCENE, rounds - number))]
            random.Random(seed + number).shuffle(faults)
            proxy.faults.extend(item for fault in faults for item in (fault, Fault.PASS))
            store = replace(scenery.store, endpoint=proxy.endpoint)
            await recorded(scene, seed + number, store=store, segments=2 + len(faults) // 2, first_wait_s=0.02)
            assert not proxy.faults  # positive control: all of them happened
            done += proxy.done
        await scene.ended(seed=seed)
        figures = await scene.verdict("store misbehaves", seed + number)
        assert figures.lost == 0
    assert {fault for fault in _NETWORK if done[fault] < rounds} == set()


@pytest.mark.parametrize("fault", [Fault.SLOW, Fault.SLOW_BODY, Fault.LOSE_REPLY])
async def test_store_that_always_misbehaves_is_waited_out(scenery: Stage, seed: int, fault: Fault) -> None:
    scene = await scenery.scene()
    async with faulty_proxy(scenery.store.endpoint) as proxy:
        proxy.always = fault

        async def mend() -> None:
            while proxy.done[fault] < 2:  # noqa: ASYNC110
                await asyncio.sleep(0.05)
            await asyncio.sleep(1.0)
            proxy.always = None

        async with beside(mend()):
            await recorded(scene, seed, store=replace(scenery.store, endpoint=proxy.endpoint))
        assert proxy.done[fault] > 0
    await scene.ended(seed=seed)
    figures = await scene.verdict(f"store {fault.name}", seed)
    assert figures.lost == 0


async def test_database_whose_backends_die_in_mid_commit_loses_and_doubles_nothing(
    scenery: Stage, rounds_asked: int | None, seed: int
) -> None:
    rounds, killed = rounds_asked or IN_CI, [0]

    async def kill_backends(dice: random.Random) -> None:
        query = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'record-process'"
        until = killed[0] + 8
        while killed[0] < until:  # then it is let finish
            killed[0] += len(await scenery.owner.fetch(query))
            await asyncio.sleep(dice.uniform(0.005, 0.06))

    number = 0
    while killed[0] < rounds:
        scene = await scenery.scene(cameras=3)
        async with beside(kill_backends(random.Random(seed + number))):
            await recorded(scene, seed + number, pause_s=0.01, first_wait_s=0.02)
        await scene.ended(seed=seed)
        figures = await scene.verdict("backends die", seed + number)
        assert figures.lost == 0
        number += 1
        assert number < rounds


async def test_commits_whose_acknowledgement_is_lost_double_nothing(
    scenery: Stage, rounds_asked: int | None, seed: int
) -> None:
    """The server has committed; the recorder cannot know and asks again."""
    rounds, lost, number = rounds_asked or IN_CI, 0, 0
    while lost < rounds:
        scene = await scenery.scene(cameras=3)
        async with deaf_database(scenery.database.ingest, loses=0.05, dice=random.Random(seed + number)) as (deaf, way):
            await recorded(scene, seed + number, database=way, segments=12, first_wait_s=0.02)
            lost += deaf.lost
        await scene.ended(seed=seed)
        figures = await scene.verdict("acknowledgement lost", seed + number)
        assert figures.lost == 0
        number += 1
        assert number < rounds


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


async def test_both_away_then_killed_then_both_back(scenery: Stage, seed: int) -> None:
    scene = await scenery.scene()
    nothing = {"store": scene.without_store(), "database": replace(scenery.database.ingest, port=9)}
    assert await scene.run(seed=seed, segments=1) == 0  # the keys are known and cached from now on
    assert await scene.killed("spool.append.chunks=kill@25", seed=seed, segments=8, **nothing)
    assert await scene.killed("spool.append.chunks=kill@9", seed=seed, segments=8, **nothing)
    assert await scene.run(seed=seed, segments=2, **nothing) == 0
    await scene.ended(seed=seed)
    await scene.verdict("both away", seed)


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

"""kill -9 at every step from the first byte of a segment to the last of its files; then what the account says holds.

Each place is struck ``--rounds`` times, 8 by default; one never reached is an error. tests/faults/README.md says
how to run more, and how to read ``--figures``.
"""

from __future__ import annotations

import asyncio
import random
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from pathlib import Path

import pytest

import ingest
from runtime.settings import StoreSettings
from tests.conftest import Database
from tests.support.processes.killed_recorder import Stage, stage

pytestmark = [pytest.mark.slow, pytest.mark.services, pytest.mark.timeout(3600)]

RECORDING = (
    "spool.begin.metadata",
    "spool.begin.header",
    "spool.append.metadata",
    "spool.append.chunks",
    "spool.finish.tail",
    "spool.finish.metadata",
    "spool.position",
    "spool.publish.position",
    "spool.publish.rename",
    "spool.gap.write",
    "spool.gap",
    "upload.put.before",
    "upload.put.after",
    "spool.note",
    "spool.note.stored",
    "upload.stored",
    "commit.segment",
    "commit.gaps",
    "commit.gaps.recorded",
    "spool.remove.sealed",
)
RECOVERY = (
    "spool.replace",
    "spool.recover.cut",
    "spool.recover.trailer",
    "spool.recover.metadata",
    "spool.recover.position",
    "spool.recover.rename",
)
DROPPING = ("spool.note.dropped", "upload.drop.gap")
ROTTEN = ("upload.damaged.gap",)
A_SCENE = 20  # deaths of one spool before it is held against its account


@pytest.fixture
async def scenery(
    database: Database, store: StoreSettings, tmp_path: Path, figures: Path | None
) -> AsyncIterator[Stage]:
    async with stage(database, store, tmp_path, log=figures) as made:
        yield made


async def each(places: Sequence[str], rounds: int, one: Callable[[str, int, int], Awaitable[None]]) -> None:
    """``one(place, times, number)``, at most ``A_SCENE`` deaths a scene; four scenes at a time, which mostly wait."""
    gate = asyncio.Semaphore(4)

    async def limited(place: str, times: int, number: int) -> None:
        async with gate:
            await one(place, times, number)

    async with asyncio.TaskGroup() as group:
        for place in places:
            for number in range(0, rounds, A_SCENE):
                group.create_task(limited(place, min(A_SCENE, rounds - number), number))


async def test_recorder_killed_at_any_step_loses_nothing_acknowledged(scenery: Stage, rounds: int, seed: int) -> None:
    async def one(place: str, times: int, number: int) -> None:
        scene = await scenery.scene(fsync=number // A_SCENE % 4 == 3)
        await scene.killed_often(place, times, seed + number, drain_s=1.0, segments=4)
        await scene.ended(seed=seed)
        await scene.verdict(place, seed + number)
        assert scene.strikes(place) == times

    await each(RECORDING, rounds, one)


async def test_recovery_killed_at_any_step_comes_to_the_same(scenery: Stage, rounds: int, seed: int) -> None:
    async def one(place: str, times: int, number: int) -> None:
        scene = await scenery.scene()
        dice = random.Random(seed + number)
        while scene.strikes(place) < times:
            assert scene.runs < 6 * times, f"{place} is hardly ever reached"
            await scene.killed(f"spool.append.chunks=kill@{dice.randrange(3, 25)}", seed=seed + scene.runs)
            torn = len(list((scene.spool.directory / "segments").glob("*.part")))
            # Files without a whole fragment are removed, not recovered: a later hit may not be reached.
            at = dice.randrange(1, torn + 1) if torn else 1
            again = {"seed": seed + scene.runs, "segments": 0}
            if await scene.killed(f"{place}=kill@{at}", **again):
                scene.struck_at.append(at)
                if dice.random() < 0.5 and await scene.killed(f"{place}=kill@1", **again):  # and at the next start
                    scene.struck_at.append(1)
        await scene.ended(seed=seed)
        await scene.verdict(place, seed + number)

    await each(RECOVERY, rounds, one)


async def test_dropping_killed_at_any_step_is_a_gap_once(scenery: Stage, rounds: int, seed: int) -> None:
    async def one(place: str, times: int, number: int) -> None:
        scene = await scenery.scene(max_bytes=5_500_000, when_full="drop_oldest")
        away = {"store": scene.without_store(), "segments": 12, "size": 70_000}
        await scene.killed_often(place, times, seed + number, **away)
        await scene.ended(seed=seed)
        made = await scene.verdict(place, seed + number, dropping=True)
        assert made.lost > 0
        assert scene.strikes(place) == times

    await each(DROPPING, rounds, one)


async def test_damaged_file_is_set_aside_whenever_it_is_killed(scenery: Stage, rounds: int, seed: int) -> None:
    """A bit of a finished file turns while the store is away: a gap, once, and the file kept for a person."""

    async def one(place: str, times: int, number: int) -> None:
        scene = await scenery.scene()
        dice = random.Random(seed + number)
        segments = scene.spool.directory / "segments"
        for turn in range(times):
            before = set(segments.glob("*.tlns"))
            code = await scene.run(seed=seed + turn, segments=2, store=scene.without_store())
            assert code == 0, scene.said()
            # Of those made now: one that the store has already is not sent, and its damage is nobody's.
            rotten = dice.choice(sorted(set(segments.glob("*.tlns")) - before))
            data = bytearray(rotten.read_bytes())
            data[len(data) // 2] ^= 1
            rotten.write_bytes(data)
            assert await scene.killed(f"{place}=kill@1", seed=seed + turn, segments=1, drain_s=10.0)
            scene.struck_at.append(1)
        await scene.ended(seed=seed)
        await scene.verdict(place, seed + number, dropping=True, damaged=times)
        assert scene.strikes(place) == times

    await each(ROTTEN, rounds, one)


async def test_recorder_killed_again_and_again_at_random(scenery: Stage, rounds: int, seed: int) -> None:
    """Many deaths of one spool, at places that a seed decides; eight cameras."""
    for number in range(0, rounds, A_SCENE):
        dice = random.Random(seed * 1000 + number)
        scene = await scenery.scene(cameras=8)
        for turn in range(min(A_SCENE, rounds - number)):
            place = dice.choice(RECORDING + RECOVERY)
            await scene.killed(f"{place}=kill@{dice.randrange(1, 40)}", seed=seed + turn, segments=2, drain_s=0.2)
        await scene.ended(seed=seed)
        await scene.verdict("random", seed * 1000 + number)
        assert scene.kills > 0


def test_every_failpoint_of_recording_is_in_one_of_the_lists() -> None:
    """A new place is tested from the day it is named."""
    folder = Path(next(iter(ingest.__path__)))
    named = {
        name
        for path in [*folder.glob("spool/*.py"), *folder.glob("recording/*.py")]
        for name in re.findall(r'\b(?:hit\(|failpoint=)"([a-z.]+)"', path.read_text())
    }
    assert named == {*RECORDING, *RECOVERY, *DROPPING, *ROTTEN}


# -- Positive controls: what these tests hold does not hold by itself


PLANTED = {
    "unwritten-tail": "upload.put.before",
    "forgotten-positions": "spool.append.chunks",
    "early-removal": "upload.stored",
    "lost-gaps": "spool.append.chunks",
    "metadata-removed-first": "spool.remove.sealed",
}


async def test_planted_mistakes_are_found(scenery: Stage, seed: int) -> None:
    """A recorder that makes one of these mistakes does not pass."""

    async def one(plant: str, _: int, __: int) -> None:
        scene = await scenery.scene()
        scene.plant = plant
        await scene.killed_often(PLANTED[plant], 3, seed, drain_s=1.0)
        await scene.ended(seed=seed)
        with pytest.raises(AssertionError):
            await scene.verdict(plant, seed)

    await each(tuple(PLANTED), 1, one)

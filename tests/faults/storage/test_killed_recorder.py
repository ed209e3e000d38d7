"""kill -9 at every step from the first byte of a segment to the last of its files; then what the account says holds.

CI strikes each place once or twice. By hand: ``pytest tests/faults/storage --rounds 20 --figures FILE``.
"""

from __future__ import annotations

import asyncio
import random
import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

import storage
from storage.settings import StoreSettings
from tests.conftest import Database
from tests.support.killed_recorder import Stage, stage

pytestmark = [pytest.mark.slow, pytest.mark.services]

RECORDING = (
    "spool.begin.facts",
    "spool.begin.header",
    "spool.append.facts",
    "spool.append.chunks",
    "spool.finish.tail",
    "spool.finish.facts",
    "spool.publish.mark",
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
    "spool.remove.sealed",
)
RECOVERY = (
    "spool.recover.cut",
    "spool.recover.trailer",
    "spool.recover.facts",
    "spool.recover.mark",
    "spool.recover.rename",
)
DROPPING = ("spool.note.dropped", "upload.drop.gap")
ELSEWHERE = ("upload.damaged.gap",)  # tests/unit/recording: it takes a file that rots


@pytest.fixture
async def scenery(
    database: Database, store: StoreSettings, tmp_path: Path, figures: Path | None
) -> AsyncIterator[Stage]:
    async with stage(database, store, tmp_path) as made:
        made.log = figures
        yield made


async def each(places: tuple[str, ...], rounds: int, one: object) -> None:
    """Two scenes at a time: this machine may have two cores."""
    gate = asyncio.Semaphore(2)
    dice = random.Random(rounds)

    async def limited(place: str, number: int) -> None:
        async with gate:
            await one(place, 1 if number == 0 else dice.randrange(1, 8), number)  # type: ignore[operator]

    async with asyncio.TaskGroup() as group:
        for place in places:
            for number in range(rounds):
                group.create_task(limited(place, number))


async def test_recorder_killed_at_any_step_loses_nothing_acknowledged(scenery: Stage, rounds: int, seed: int) -> None:
    async def one(place: str, at: int, number: int) -> None:
        scene = await scenery.scene(fsync=number % 4 == 3)
        # The first hit proves that the place is reached; later ones may lie behind the end of a run.
        struck = await scene.killed(f"{place}=kill@{at}", seed=seed + number, drain_s=2.0 if at == 1 else 0.3)
        assert struck or number > 0, f"{place} is never reached"
        await scene.ended(seed=seed + number)
        await scene.verdict(place, at)

    await each(RECORDING, rounds, one)


async def test_recovery_killed_at_any_step_comes_to_the_same(scenery: Stage, rounds: int, seed: int) -> None:
    async def one(place: str, at: int, number: int) -> None:
        scene = await scenery.scene()
        assert await scene.killed(f"spool.append.chunks=kill@{5 + number % 20}", seed=seed + number)
        torn = len(list((scene.spool.directory / "segments").glob("*.part")))
        assert torn > 0
        # Files without a whole fragment are removed, not mended: a later hit may not be reached.
        struck = await scene.killed(f"{place}=kill@{1 + number % torn}", seed=seed + number, segments=0)
        assert struck or number > 0
        if number % 2:
            await scene.killed(f"{place}=kill@1", seed=seed + number, segments=1)
        await scene.ended(seed=seed + number)
        await scene.verdict(place, at)

    await each(RECOVERY, rounds, one)


async def test_dropping_killed_at_any_step_is_a_gap_once(scenery: Stage, rounds: int, seed: int) -> None:
    async def one(place: str, at: int, number: int) -> None:
        scene = await scenery.scene(max_bytes=5_500_000, when_full="drop_oldest")
        away = {"store": scene.without_store(), "segments": 12, "size": 70_000}
        struck = await scene.killed(f"{place}=kill@{at}", seed=seed + number, **away)
        assert struck or number > 0, f"{place} is never reached"
        await scene.ended(seed=seed + number)
        made = await scene.verdict(place, at, dropping=True)
        assert made.lost > 0

    await each(DROPPING, rounds, one)


async def test_recorder_killed_again_and_again_at_random(scenery: Stage, rounds: int, seed: int) -> None:
    """Many deaths of one spool, at places that a seed decides; four cameras."""
    for number in range(rounds):
        dice = random.Random(seed * 1000 + number)
        scene = await scenery.scene(cameras=4)
        for turn in range(4):
            place = dice.choice(RECORDING + RECOVERY)
            await scene.killed(f"{place}=kill@{dice.randrange(1, 12)}", seed=seed + turn, drain_s=0.2)
        await scene.ended(seed=seed)
        await scene.verdict(f"random-{number}", 4)


def test_every_failpoint_of_recording_is_in_one_of_the_lists() -> None:
    """A new place is tested from the day it is named."""
    folder = Path(next(iter(storage.__path__)))
    named = {
        name
        for path in [*folder.glob("spool/*.py"), *folder.glob("recording/*.py")]
        for name in re.findall(r'\bhit\("([a-z.]+)"\)', path.read_text())
    }
    assert named == {*RECORDING, *RECOVERY, *DROPPING, *ELSEWHERE}


# -- Positive controls: what these tests hold does not hold by itself


@pytest.mark.parametrize(
    ("plant", "place"),
    [
        ("unwritten-tail", "upload.put.before"),
        ("forgotten-marks", "spool.append.chunks"),
        ("early-removal", "upload.stored"),
        ("lost-gaps", "spool.append.chunks"),
    ],
)
async def test_planted_mistake_is_found(
    scenery: Stage, seed: int, plant: str, place: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A recorder that makes one of these mistakes does not pass."""
    monkeypatch.setenv("TALLENNE_PLANT", plant)
    scene = await scenery.scene()
    assert await scene.killed(f"{place}=kill@1", seed=seed, drain_s=1.0)
    await scene.ended(seed=seed)
    with pytest.raises(AssertionError):
        await scene.verdict(plant, 1)

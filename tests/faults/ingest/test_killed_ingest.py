"""The ingest role with eight cameras, killed at every named place it comes by, and at any moment at all.

Every committed segment opens; of what was received at most a second per camera and death is missing; gaps say so; and
pictures are received again within five seconds of a start. ``./test`` strikes each place a few times, ``--rounds 20``
and more are for a person: tests/faults/README.md.
"""

from __future__ import annotations

import asyncio
import json
import random
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import asdict
from pathlib import Path

import pytest

from runtime.settings import StoreSettings
from tests.conftest import Database
from tests.faults.ingest.test_killed_recorder import RECORDING, RECOVERY
from tests.support.processes.killed_ingest import Gym, Lane, gym

pytestmark = [pytest.mark.slow, pytest.mark.services, pytest.mark.timeout(3600)]

PLACES = (*RECORDING, *RECOVERY)
ANY_MOMENT = "any moment"
IN_CI = 1
LANES = 10  # at a time; they mostly wait for pictures


@pytest.fixture
async def cameras(database: Database, store: StoreSettings, tmp_path: Path) -> AsyncIterator[Gym]:
    async with gym(database, store, tmp_path) as made:
        yield made


async def strike(lane: Lane, place: str, dice: random.Random) -> bool:
    """One death there; ANY_MOMENT: wherever the process is by then.

    A file must be torn for recovery to come by, which most deaths before this one have left.
    """
    if place == ANY_MOMENT:
        return await lane.run("", die_after_s=dice.uniform(0.1, 3.0)) != 0
    if place in RECOVERY and not lane.torn():
        await lane.run(f"spool.append.chunks=kill@{dice.randrange(9, 40)}")
    at = dice.randrange(1, max(2, lane.torn() + 1)) if place in RECOVERY else dice.randrange(1, 13)
    while await lane.run(f"{place}=kill@{at}") == 0:
        if at == 1:
            return False
        at = 1
    return True


async def test_ingest_killed_at_any_step_loses_a_second_at_most(
    cameras: Gym, rounds_asked: int | None, seed: int, figures: Path | None
) -> None:
    rounds = rounds_asked or IN_CI
    dice = random.Random(seed)
    left = [place for place in (*PLACES, ANY_MOMENT) for _ in range(rounds)]
    dice.shuffle(left)
    struck: Counter[str] = Counter()
    kills: list[int] = []

    async def one(number: int) -> None:
        lane = await cameras.lane(number, fsync=number % 3 == 2)
        mine = random.Random(seed * 1000 + number)
        for _ in range(len(left)):  # one that is not reached is tried again later
            if not left:
                break
            place = left.pop()
            if not await strike(lane, place, mine):
                left.insert(0, place)
        await lane.run("", stop_after_s=2.5, drain_s=20.0)
        made = await lane.verdict("ingest", seed * 1000 + number)
        struck.update(made.struck)
        kills.append(made.kills)
        assert made.kills > 0
        if figures is not None:
            with figures.open("a") as file:
                file.write(json.dumps(asdict(made)) + "\n")

    async with asyncio.TaskGroup() as group:
        for number in range(LANES):
            group.create_task(one(number))
    assert not left
    assert {place: struck[place] for place in PLACES if struck[place] < rounds} == {}
    assert sum(kills) >= rounds * (len(PLACES) + 1)


async def test_planted_mistakes_are_found(cameras: Gym, seed: int) -> None:
    """A recorder that makes one of these mistakes does not pass."""

    async def one(number: int, plant: str) -> None:
        lane = await cameras.lane(number, cameras=4)
        lane.plant = plant
        dice = random.Random(seed)
        for _ in range(2):
            await lane.run(f"spool.append.metadata=kill@{dice.randrange(9, 15)}")
        await lane.run("", stop_after_s=2.0, drain_s=20.0)
        assert lane.kills == 2
        with pytest.raises(AssertionError):
            await lane.verdict(plant, seed)

    async with asyncio.TaskGroup() as group:
        for number, plant in enumerate(("long-fragments", "torn-files-removed", "gaps-forgotten")):
            group.create_task(one(number, plant))

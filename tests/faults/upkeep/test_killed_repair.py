"""reconcile and rebuild killed at every step, ``--rounds`` times each.

Nothing is invented on the way, and in the end the rows are those of the recording, less what was really taken away.
"""

from __future__ import annotations

import itertools
import pickle
import random
import re
import signal
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

import storage
import upkeep
from domain.footage import Segment, SegmentState
from domain.ids import SegmentId
from domain.time import Span
from runtime.failpoints import LOG_VARIABLE, VARIABLE
from runtime.settings import StoreSettings
from storage.catalogue.rows import gap_from_row
from storage.sealed import object_name_of
from tests.conftest import Database
from tests.integration.storage.footage import Footage, footage, turn
from tests.support.footage.recording import assert_tiled
from tests.support.processes.killed_recorder import Figures
from tests.support.processes.repair_process import Repair, later
from upkeep.rebuild import rebuild
from upkeep.reconcile import reconcile

pytestmark = [pytest.mark.slow, pytest.mark.services, pytest.mark.timeout(3600)]

RESTORING = ("restore.before", "restore.committed", "restore.quarantined")
REPLAYING = ("journal.restored", "journal.gaps", "holes.filled")
PLACES = (*RESTORING, *REPLAYING, "reconcile.gone")


@pytest.fixture
async def recorded(
    database: Database, store: StoreSettings, keeper_store: StoreSettings, tmp_path: Path, figures: Path | None
) -> AsyncIterator[Footage]:
    async with footage(database, store, keeper_store, tmp_path, segments=16) as made:
        made.stage.log = figures
        yield made


@dataclass(kw_only=True)
class Work:
    """What is known about the footage by the test alone: what was recorded, and what the test took away."""

    recorded: Footage
    directory: Path
    segments: list[Segment]
    dice: random.Random
    lost: set[SegmentId] = field(default_factory=set)
    bad: set[str] = field(default_factory=set)

    @property
    def whole(self) -> list[Segment]:
        return [item for item in self.segments if item.segment_id not in self.lost]

    async def take_away(self) -> None:
        """For good: an object that is overwritten and has lost its row, and one that is deleted."""
        some = [item for item in self.whole if item.size_bytes > 10_000 and not item.recovered]
        overwritten, deleted = self.dice.sample(some, 2)
        await self.drop_rows(overwritten)
        await self.recorded.overwrite(overwritten, turn(8 * 3000))
        await self.recorded.delete(deleted)
        self.lost |= {overwritten.segment_id, deleted.segment_id}
        self.bad.add(object_name_of(overwritten))

    async def drop_rows(self, *segments: Segment) -> None:
        for table in ("segment", "segment_identity"):
            await self.recorded.stage.owner.execute(
                f"DELETE FROM {table} WHERE segment_id = ANY ($1)", [item.segment_id for item in segments]
            )

    async def killed(self, what: str, place: str, at: int) -> bool:
        stage = self.recorded.stage
        task = Repair(what=what, database=stage.database.owner, store=stage.store, socket=stage.socket)
        file = self.directory / "repair.pickle"
        file.write_bytes(pickle.dumps(task))
        environment = {VARIABLE: f"{place}=kill@{at}", LOG_VARIABLE: str(self.directory / "strikes")}
        log = self.directory / "repair.log"
        code = await stage.forks.run("tests.support.processes.repair_process", str(file), environment, log)
        assert code in (0, -signal.SIGKILL), log.read_text()[-2000:]
        await self.check_in_between()
        return code != 0

    def strikes(self, place: str) -> int:
        file = self.directory / "strikes"
        return sum(line.split()[0] == place for line in (file.read_text().splitlines() if file.exists() else []))

    async def live(self) -> list[Segment]:
        return [item for item in await self.recorded.segments() if item.state is SegmentState.LIVE]

    async def gaps(self) -> dict[object, list[Span]]:
        rows = await self.recorded.stage.owner.fetch("SELECT * FROM gap")
        return {
            camera_id: [gap_from_row(row).span for row in rows if row["camera_id"] == camera_id]
            for camera_id in self.recorded.scene.cameras
        }

    async def check_in_between(self) -> None:
        """No row that was not recorded, none changed, no gap over footage."""
        live, gaps = await self.live(), await self.gaps()
        known = {item.segment_id: item for item in self.segments}
        assert all(known[item.segment_id] == item for item in live)
        for camera_id, spans in gaps.items():
            mine = sorted([*spans, *(item.span for item in live if item.camera_id == camera_id)])
            for before, after in itertools.pairwise(mine):
                assert before.end_ns <= after.start_ns, f"overlap of {before} and {after}"

    async def check(self) -> None:
        """At the end."""
        assert await self.live() == self.whole
        rows = await self.recorded.stage.owner.fetch("SELECT object_name FROM object_quarantine")
        assert {row["object_name"] for row in rows} == self.bad
        for camera_id, spans in (await self.gaps()).items():
            assert_tiled([item.span for item in self.whole if item.camera_id == camera_id], spans)

    async def struck(self, what: str, place: str, times: int) -> list[int]:
        """Rows are dropped and their restoration is killed, so many times; at which hits."""
        at: list[int] = []
        while len(at) < times:
            dropped = self.dice.sample(self.whole, self.dice.randrange(4, 9))
            await self.drop_rows(*dropped)
            if place == "restore.quarantined":  # nobody has found it yet
                await self.recorded.stage.owner.execute("DELETE FROM object_quarantine")
            if place == "holes.filled":
                await self.recorded.stage.owner.execute("DELETE FROM gap WHERE cause = 'lost'")
            once = place in ("restore.quarantined", "reconcile.gone", "holes.filled")
            hit = 1 if once or not at else self.dice.randrange(1, 5)
            if await self.killed(what, place, hit):
                at.append(hit)
            else:
                assert hit > 1, f"{place} is never reached"
        assert self.strikes(place) == times
        return at


def work_on(recorded: Footage, directory: Path, segments: list[Segment], seed: int) -> Work:
    return Work(recorded=recorded, directory=directory, segments=segments, dice=random.Random(seed))


async def test_reconcile_killed_at_any_step_comes_to_the_same(
    recorded: Footage, tmp_path: Path, rounds: int, seed: int
) -> None:
    work = work_on(recorded, tmp_path, await recorded.segments(), seed)
    stage = recorded.stage
    for place in PLACES:
        await work.take_away()
        at = await work.struck("reconcile", place, rounds)
        await reconcile(stage.owner, stage.objects, stage.client, repair=True, grace_ns=0, clock_ns=later)
        assert (await reconcile(stage.owner, stage.objects, stage.client, grace_ns=0, clock_ns=later)).ok
        await work.check()
        stage.say(Figures(what=f"reconcile: {place}", seed=seed, kills=rounds, struck_at=at, rows=len(work.whole)))


async def test_rebuild_killed_at_any_step_comes_to_the_same(
    recorded: Footage, tmp_path: Path, rounds: int, seed: int
) -> None:
    segments = await recorded.segments()
    work = work_on(recorded, tmp_path, segments, seed)
    stage = recorded.stage
    overwritten = [item for item in segments if item.size_bytes > 10_000 and not item.recovered][5]
    genuine = await recorded.data(overwritten)
    await recorded.overwrite(overwritten, turn(8 * 3000))
    work.lost.add(overwritten.segment_id)
    await work.drop_rows(*segments)
    for place in (*RESTORING, *REPLAYING):
        at = await work.struck("rebuild", place, rounds)
        stage.say(Figures(what=f"rebuild: {place}", seed=seed, kills=rounds, struck_at=at, rows=len(segments)))
    # With the genuine object back, all is as it was recorded: footage takes the place of the gap.
    await recorded.overwrite(overwritten, lambda _: bytearray(genuine))
    work.lost.clear()
    await work.drop_rows(*segments)
    await rebuild(stage.owner, stage.objects, stage.client, grace_ns=0, clock_ns=later)
    await work.check()
    await recorded.scene.verdict("rebuild", seed)


async def test_planted_row_is_found(recorded: Footage, tmp_path: Path, seed: int) -> None:
    """Positive control: a repair that brings back a changed row, or a gap over footage, does not pass."""
    segments = await recorded.segments()
    work = work_on(recorded, tmp_path, segments, seed)
    await work.check()
    await recorded.change(segments[3], "frames", segments[3].frames + 1)
    with pytest.raises(AssertionError):
        await work.check_in_between()
    await recorded.change(segments[3], "frames", segments[3].frames)
    await work.check_in_between()
    await recorded.stage.owner.execute(
        "UPDATE gap SET end_ns = end_ns + 1 WHERE start_ns = (SELECT min(start_ns) FROM gap)"
    )
    with pytest.raises(AssertionError, match="overlap"):
        await work.check_in_between()


def test_every_failpoint_of_repairs_is_in_the_list() -> None:
    """A new place is tested from the day it is named."""
    folder, repairs = Path(next(iter(upkeep.__path__))), Path(next(iter(storage.__path__))) / "catalogue/repairs.py"
    named = {
        name
        for path in [*folder.glob("*.py"), *folder.glob("inspection/*.py"), repairs]
        for name in re.findall(r'\b(?:hit\(|failpoint=)"([a-z.]+)"', path.read_text())
    }
    assert named == set(PLACES)

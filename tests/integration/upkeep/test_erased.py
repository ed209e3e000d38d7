"""What was erased does not come back: not in a rebuilt catalogue, not from an older copy of the database."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from uuid import UUID, uuid4

import asyncpg
import pytest

from custodian.client import CustodianClient
from domain.footage import Segment, SegmentState
from domain.ids import SegmentId
from domain.time import Span
from pipeline.embedded.postgres import Postgres
from runtime.database import open_pool
from runtime.settings import StoreSettings
from storage.store import open_store
from tests.conftest import Database
from tests.integration.upkeep.test_journal import (
    Afterwards,
    afterwards,
    copy_of,
    journalled,
    know_cameras,
    later,
    segments,
    stage,
)
from tests.support.footage.custodian import Staff, add_staff, until
from tests.support.processes.killed_recorder import Scene, Stage
from upkeep.keeper.removal import Removal
from upkeep.reconcile import reconcile
from upkeep.verify import verify

pytestmark = pytest.mark.services


async def person(owner: asyncpg.Pool) -> Staff:
    staff = await add_staff(owner, roles=("admin",))
    await owner.execute("UPDATE staff_session SET stepped_up_ns = created_ns WHERE session_id = $1", staff.session_id)
    return staff


async def ordered(owner: asyncpg.Pool, staff: Staff, gone: Sequence[Segment]) -> UUID:
    """The scene's cameras are ahead of the clock by which an order may name the past only."""
    erasure_id = uuid4()
    await owner.execute(
        "INSERT INTO erasure (erasure_id, reason, camera_ids, start_ns, end_ns, asked_by, asked_ns)"
        " VALUES ($1, 'Aino asks', $2, $3, $4, $5, 0)",
        erasure_id,
        [one.camera_id for one in gone],
        [one.span.start_ns for one in gone],
        [one.span.end_ns for one in gone],
        staff.staff_id,
    )
    return erasure_id


async def opening(client: CustodianClient, found: Sequence[Segment]) -> set[SegmentId]:
    """By row and by header."""
    opened = await client.open_for_verify([one.segment_id for one in found])
    return {*opened, *(await client.open_headers([one.header for one in found]))}


async def causes(after: Afterwards, one: Segment) -> set[str]:
    rows = await after.owner.fetch(
        "SELECT cause FROM gap WHERE camera_id = $1 AND start_ns < $3 AND end_ns > $2",
        one.camera_id,
        one.span.start_ns,
        one.span.end_ns,
    )
    return {row["cause"] for row in rows}


async def erased(before: Stage, scene: Scene, gone: Sequence[Segment], people: tuple[Staff, Staff]) -> None:
    """Two people order it, and it is done: recorders have another key, the footage has one of its own."""
    anna, berit = people
    erasure_id = await ordered(before.owner, anna, gone)
    assert await before.client.approve_erasure(erasure_id, berit.session_id, berit.purpose_id) == len(gone)
    fresh = "SELECT count(*) FROM hour_key WHERE camera_id = $1 AND hour_ns = $2 AND serial > $3"
    key = await before.owner.fetchrow("SELECT * FROM hour_key WHERE hour_key_id = $1", gone[0].hour_key_id)

    async def rotated() -> bool:
        return bool(await before.owner.fetchval(fresh, key["camera_id"], key["hour_ns"], key["serial"]))

    await until(rotated)  # the key is in use: recorders get another one first
    assert await scene.run(segments=3, drain_s=20.0) == 0

    async def done() -> bool:
        state = await before.owner.fetchval("SELECT state FROM erasure WHERE erasure_id = $1", erasure_id)
        return bool(state == "done")

    await until(done)


async def live(pool: asyncpg.Pool) -> list[Segment]:
    return [item for item in await segments(pool) if item.state is SegmentState.LIVE]


@dataclass(frozen=True, slots=True, kw_only=True)
class Erased:
    """What is gone and what was there then; ``copied``: a copy of the database from before the order."""

    scene: Scene
    gone: list[Segment]
    then: list[Segment]
    copied: Database


@pytest.fixture(params=[False, True], ids=["objects are left", "objects are gone"])
async def erasure(
    request: pytest.FixtureRequest,
    postgres: Postgres,
    database: Database,
    store: StoreSettings,
    keeper_store: StoreSettings,
    tmp_path: Path,
) -> Erased:
    """Two of a camera's segments are erased: the others open and say nothing of a break."""
    async with stage(database, store, tmp_path) as before:
        scene = await before.scene()
        assert await scene.run(segments=5, drain_s=20.0) == 0
        mine = [item for item in await segments(before.owner) if item.camera_id == scene.cameras[0]]
        gone, kept = mine[1:3], [*mine[:1], *mine[3:]]
        people = await person(before.owner), await person(before.owner)
        copied = await copy_of(postgres, database.owner)
        await erased(before, scene, gone, people)
        assert await opening(before.client, mine) == {one.segment_id for one in kept}
        if request.param:
            async with (
                open_pool(database.keeper, application_name="keeper") as pool,
                open_store(keeper_store) as objects,
            ):
                assert await Removal(pool, objects, clock_ns=later).run_once() == len(gone)
        await journalled(before.owner)
        whole = Span(mine[0].span.start_ns, mine[-1].span.end_ns)
        cameras = [scene.cameras[0]]
        checked = await verify(before.owner, before.objects, before.client, camera_ids=cameras, span=whole)
        assert (checked.objects, checked.bad, checked.unexplained_breaks) == (len(kept), [], 0)
        return Erased(scene=scene, gone=gone, then=await live(before.owner), copied=copied)


async def hold_to_what_is_left(after: Afterwards, erasure: Erased) -> None:
    """Neither row nor header opens what was erased, and the timeline says so."""
    gone, then = erasure.gone, erasure.then
    assert await opening(after.client, [*then, *gone]) == {one.segment_id for one in then}
    assert all([await causes(after, one) == {"erased"} for one in gone])


async def test_erased_footage_comes_back_by_no_means(
    erasure: Erased, other_database: Database, store: StoreSettings, tmp_path: Path
) -> None:
    gone, then = erasure.gone, erasure.then
    async with afterwards(other_database, store, tmp_path) as after:
        await know_cameras(after.owner, erasure.scene)
        report = await after.rebuilt()
        assert report.ok, report
        assert report.lost.holes == 0
        assert await live(after.owner) == then
        await hold_to_what_is_left(after, erasure)
        again = await after.rebuilt()
        assert not any(again.journal.rows.values())

    async with afterwards(erasure.copied, store, tmp_path) as after:
        shown = await live(after.owner)
        assert {one.segment_id for one in gone} <= {one.segment_id for one in shown}  # the copy knows no erasure
        assert not await opening(after.client, gone)
        await reconcile(after.owner, after.objects, after.client, repair=True, grace_ns=0, clock_ns=later)
        rows = await live(after.owner)
        assert [replace(item, epoch=1) for item in rows] == [replace(item, epoch=1) for item in then]
        await hold_to_what_is_left(after, erasure)

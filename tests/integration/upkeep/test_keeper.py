"""The keeper against a real database and store: what expired is removed, nothing else, whatever happens on the way."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import asyncpg
import pytest

from domain.ids import CameraId
from domain.time import DAY_NS, HOUR_NS, day_of
from runtime.database import open_pool
from runtime.settings import StoreSettings
from runtime.status import read_status_files
from storage.sealed import object_name
from storage.store import ObjectStore, open_store
from tests.conftest import Database
from tests.support.footage.custodian import Recorded, until
from tests.support.footage.past import Past, past
from upkeep.keeper import removal, role
from upkeep.keeper.removal import Removal
from upkeep.keeper.settings import KeeperSettings

pytestmark = pytest.mark.services


@dataclass(frozen=True, slots=True, kw_only=True)
class Yard:
    """Footage of the past, its objects in a bucket, and a keeper."""

    gym: Past
    objects: ObjectStore
    keeper: ObjectStore
    pool: asyncpg.Pool

    def new_removal(self) -> Removal:
        return Removal(self.pool, self.keeper, clock_ns=self.gym.clock)

    async def record(self, camera_id: CameraId, count: int = 2, *, state: str = "live") -> list[Recorded]:
        segments = await self.gym.record(camera_id, count, state=state)
        for segment in segments:
            digest = hashlib.sha256(segment.data).digest()
            name = await self.name(segment)
            await self.objects.put_new(name, segment.data, size_bytes=len(segment.data), sha256=digest)
        return segments

    async def name(self, segment: Recorded) -> str:
        site_id = await self.gym.owner.fetchval("SELECT site_id FROM camera WHERE camera_id = $1", segment.camera_id)
        return object_name(
            site_id=site_id,
            camera_id=segment.camera_id,
            segment_id=segment.segment_id,
            start_ns=segment.span.start_ns,
        )

    async def names(self) -> int:
        return len([info async for info in self.objects.list("v1/")])

    async def count(self, table: str) -> int:
        found: int = await self.gym.owner.fetchval(f"SELECT count(*) FROM {table}")
        return found

    async def partitions(self) -> list[str]:
        rows = await self.gym.owner.fetch(
            "SELECT relname FROM pg_inherits JOIN pg_class ON oid = inhrelid WHERE inhparent = 'segment'::regclass"
        )
        return sorted(row["relname"] for row in rows)


@pytest.fixture
async def yard(
    database: Database, store: StoreSettings, keeper_store: StoreSettings, tmp_path: Path
) -> AsyncIterator[Yard]:
    async with (
        past(database.owner, database.custodian, tmp_path, back_h=100) as gym,
        open_store(store) as objects,
        open_store(keeper_store) as keeper,
        open_pool(database.keeper, application_name="keeper") as pool,
    ):
        await objects.ensure_bucket()
        yield Yard(gym=gym, objects=objects, keeper=keeper, pool=pool)


async def test_objects_tags_and_identities_go_and_what_lives_stays(yard: Yard) -> None:
    gym = yard.gym
    short, long = await gym.camera(1), await gym.camera(90)
    dying = [*await yard.record(short), *await yard.record(short, 1, state="shadow")]
    living = await yard.record(long)
    for segment in (*dying, *living):
        await gym.owner.execute(
            "INSERT INTO tag VALUES ($1, $2, $3, $4, 0, 1)",
            *(segment.segment_id, segment.segment_id, segment.span.start_ns, segment.camera_id),
        )
    keeper = yard.new_removal()
    assert await keeper.run_once() == 0
    gym.clock.now_ns += 2 * HOUR_NS
    await gym.expiry.run_once()
    assert await yard.names() == 5  # unreadable, and still there
    assert await keeper.run_once() == 3
    assert {info.name async for info in yard.objects.list("v1/")} == {await yard.name(one) for one in living}
    assert await yard.count("tag") == await yard.count("segment_identity") == 2
    assert await yard.count("segment") == 2  # another camera keeps this day's partition for longer than a day
    assert keeper.backlog.camera_hours == 0
    assert await gym.opens(living) == 2


async def test_day_is_dropped_as_a_whole_once_nothing_of_it_lives(yard: Yard) -> None:
    gym = yard.gym
    camera, keeper = await gym.camera(1), yard.new_removal()
    first_day, recorded = day_of(gym.clock()), 0
    while day_of(gym.clock()) == first_day:
        recorded += len(await yard.record(camera, 1))
        await gym.expiry.run_once()
        await keeper.run_once()
        gym.clock.now_ns += HOUR_NS
    assert await yard.count("segment") == recorded  # rows wait for their day
    assert await yard.names() <= 2
    gym.clock.now_ns = first_day + DAY_NS + HOUR_NS - 1
    await gym.expiry.run_once()
    await keeper.run_once()
    assert len(await yard.partitions()) == 1
    gym.clock.now_ns += 1
    await gym.expiry.run_once()
    await keeper.run_once()
    assert await yard.partitions() == []
    assert keeper.dropped_days == 1
    assert await yard.names() == await yard.count("segment_identity") == 0


async def test_day_in_use_is_dropped_later(yard: Yard) -> None:
    gym = yard.gym
    await yard.record(await gym.camera(1))
    keeper = yard.new_removal()
    gym.clock.now_ns += 3 * HOUR_NS
    await gym.expiry.run_once()
    await gym.owner.execute("DELETE FROM hour_key")  # of the hours of that day in which nothing was recorded
    gym.clock.now_ns += DAY_NS
    async with gym.owner.transaction():
        await gym.owner.fetch("SELECT * FROM segment")
        await keeper.run_once()
        assert len(await yard.partitions()) == 1
    await keeper.run_once()
    assert await yard.partitions() == []


@pytest.mark.parametrize("place", ["keeper.object", "keeper.objects", "keeper.rows"])
async def test_crash_at_any_step_is_made_good(yard: Yard, place: str, monkeypatch: pytest.MonkeyPatch) -> None:
    gym = yard.gym
    short, long = await gym.camera(1), await gym.camera(90)
    await yard.record(short, 3)
    living = await yard.record(long)
    gym.clock.now_ns += 2 * HOUR_NS
    await gym.expiry.run_once()

    class CrashError(Exception):
        pass

    def crash(name: str) -> None:
        if name == place:
            raise CrashError

    monkeypatch.setattr(removal, "hit", crash)
    with pytest.raises(CrashError):
        await yard.new_removal().run_once()
    rows = await gym.owner.fetch("SELECT segment_id FROM segment_identity")
    assert len(rows) >= await yard.names()  # what is in the bucket still has a row that names it
    monkeypatch.undo()
    await yard.new_removal().run_once()
    assert await yard.names() == await yard.count("segment_identity") == await yard.count("segment") == 2
    assert await gym.opens(living) == 2


async def test_nothing_goes_before_its_certificate(yard: Yard) -> None:
    gym = yard.gym
    await yard.record(await gym.camera(1))
    gym.clock.now_ns += 2 * HOUR_NS
    await gym.expiry.run_once()
    await gym.owner.execute("UPDATE expired_key SET certificate = NULL")
    assert await yard.new_removal().run_once() == 0
    assert await yard.names() == 2


async def test_keeper_can_neither_read_keys_nor_change_what_lives(yard: Yard) -> None:
    await yard.record(await yard.gym.camera(1))
    for statement in (
        "SELECT * FROM hour_key",
        "SELECT * FROM wrap_record",
        "DELETE FROM segment",
        "UPDATE segment SET state = 'expiring'",
        "UPDATE expired_key SET removed_ns = NULL",
        "INSERT INTO certificate VALUES (1, 'expiry', '', '', 0)",
        "DROP TABLE segment",
        "SELECT expire_hour_keys('{}', 0)",
    ):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await yard.pool.execute(statement)
    day_ns = day_of(yard.gym.clock())
    assert await yard.pool.fetchval("SELECT drop_segment_day($1, $2)", day_ns, day_ns + 9 * DAY_NS) is False
    assert await yard.count("segment") == 2


async def test_role_removes_and_says_so(yard: Yard, database: Database, keeper_store: StoreSettings) -> None:
    gym = yard.gym
    await yard.record(await gym.camera(1), 3)
    gym.clock.now_ns += 2 * HOUR_NS
    await gym.expiry.run_once()
    run_directory = gym.directory / "run"
    run_directory.mkdir()
    stop = asyncio.Event()
    settings = KeeperSettings(database=database.keeper, store=keeper_store, run_directory=run_directory)
    task = asyncio.create_task(role.run(settings, stop))

    async def done() -> bool:
        return any(one.get("removed_segments") == 3 for one in read_status_files(run_directory))

    await until(done)
    stop.set()
    await task
    assert await yard.names() == 0
    assert list(read_status_files(run_directory)) == []

"""The journal does not pile up: records of what ended long ago go, by the keeper; what may be needed stays."""

from __future__ import annotations

import time
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from domain.time import DAY_NS, HOUR_NS, hour_of
from runtime.database import open_pool
from runtime.settings import StoreSettings
from storage.journal import JOURNAL_PREFIX, JournalKind, JournalWriter, parse_record_name
from storage.store import ObjectStore, open_store
from tests.conftest import Database
from tests.integration.custodian.test_holds import held, person
from tests.support.footage.past import Past, past
from upkeep.keeper.journal import JournalOver

pytestmark = pytest.mark.services

NOW_NS = hour_of(time.time_ns())
AGES_D = (10, 399, 401, 801)


@dataclass(frozen=True, slots=True, kw_only=True)
class Bucket:
    """Records of every kind and age, and the keeper's user."""

    gym: Past
    store: ObjectStore
    keeper: ObjectStore
    database: Database

    async def removed(self, now_ns: int = NOW_NS) -> int:
        async with open_pool(self.database.keeper, application_name="keeper") as pool:
            return await JournalOver(pool, self.keeper, clock_ns=lambda: now_ns).run_once()

    async def left(self) -> set[tuple[JournalKind, int]]:
        """Kinds and ages in days."""
        names = [parse_record_name(info.name) async for info in self.store.list(JOURNAL_PREFIX)]
        return {(name.kind, (NOW_NS - name.hour_ns) // DAY_NS) for name in names if name is not None}


@asynccontextmanager
async def bucket(
    database: Database, store: StoreSettings, keeper_store: StoreSettings, directory: Path
) -> AsyncIterator[Bucket]:
    async with (
        past(database.owner, database.custodian, directory) as gym,
        open_store(store) as objects,
        open_store(keeper_store) as keeper,
    ):
        await objects.ensure_bucket()
        writer = JournalWriter(objects, gym.custody.signer, gym.custody.signing.sign)
        for kind in JournalKind:
            for days in AGES_D:
                await writer.write(kind, NOW_NS - days * DAY_NS, [{"id": str(uuid.uuid4())}])
        yield Bucket(gym=gym, store=objects, keeper=keeper, database=database)


@pytest.fixture
async def made(
    database: Database, store: StoreSettings, keeper_store: StoreSettings, tmp_path: Path
) -> AsyncIterator[Bucket]:
    async with bucket(database, store, keeper_store, tmp_path) as found:
        yield found


async def test_old_records_of_what_has_ended_go_and_the_others_stay(made: Bucket) -> None:
    await made.gym.camera(48)
    wanted = {
        (kind, days) for kind in JournalKind for days in AGES_D if kind.kept_days is None or days < kind.kept_days
    }
    assert await made.removed() == 3 * 2 + 2
    assert await made.left() == wanted
    assert await made.removed() == 0


async def test_nothing_goes_while_it_is_not_known_what_lives(made: Bucket) -> None:
    """A lost or rebuilt database says nothing; nor does a keeper whose clock is years ahead."""
    everything = await made.left()
    assert await made.removed() == 0  # no hour key is known
    await made.gym.camera(48)
    await made.gym.owner.execute("INSERT INTO retention_pause VALUES ('rebuilt', 0)")
    assert await made.removed() == 0
    await made.gym.owner.execute("DELETE FROM retention_pause")
    assert await made.left() == everything
    await made.removed(NOW_NS + 3000 * DAY_NS)
    assert {(kind, days) for kind, days in everything if days < 400} <= await made.left()


@pytest.mark.parametrize(("certificate", "removed_ns"), [(None, 0), (1, None)])
async def test_what_is_not_certified_or_not_removed_keeps_its_records(
    made: Bucket, certificate: int | None, removed_ns: int | None
) -> None:
    await made.gym.camera(48)
    if certificate is not None:
        await made.gym.owner.execute("INSERT INTO certificate VALUES (1, 'expiry', '', $1, 0)", bytes(64))
    await made.gym.owner.execute(
        "INSERT INTO expired_key (hour_key_id, site_id, camera_id, hour_ns, expires_hour_ns, segments, size_bytes,"
        " expired_ns, certificate, removed_ns) VALUES ($1, $1, $1, $2, $3, 1, 1, 0, $4, $5)",
        *(uuid.uuid4(), NOW_NS - 500 * DAY_NS, NOW_NS - 500 * DAY_NS + HOUR_NS, certificate, removed_ns),
    )
    await made.removed()
    left = await made.left()
    assert (JournalKind.HOUR_KEY, 401) in left
    assert (JournalKind.HOUR_KEY, 801) not in left


async def test_what_a_case_still_keeps_keeps_its_records(made: Bucket) -> None:
    """A rebuilt database has to know the dead hour key, or the case's end would leave the footage's row and object."""
    camera = await made.gym.camera(48)
    (kept,) = await made.gym.record(camera, 1)
    case_id, _ = await held(made.gym, camera, [kept], await person(made.gym))
    await made.gym.owner.execute("SET session_replication_role = replica")
    await made.gym.owner.execute("UPDATE segment_identity SET start_ns = $1", NOW_NS - 500 * DAY_NS)
    await made.removed()
    assert (JournalKind.EXPIRED_KEY, 401) in await made.left()
    await made.gym.owner.execute("UPDATE hold SET ended_ns = 1 WHERE case_id = $1", case_id)
    await made.removed()
    assert (JournalKind.EXPIRED_KEY, 401) not in await made.left()

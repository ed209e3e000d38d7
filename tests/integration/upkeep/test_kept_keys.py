"""The bucket's journal loses keys that the database has: reconcile names them, and a repair has them written again."""

from __future__ import annotations

import json
import uuid
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from domain.footage import Segment
from runtime.settings import StoreSettings
from storage.journal import JOURNAL_PREFIX, JournalKind
from tests.conftest import Database
from tests.integration.storage.footage import Footage, footage
from tests.support.footage.custodian import until
from tests.support.processes.repair_process import later
from upkeep.reconcile import ReconcileReport, reconcile

pytestmark = pytest.mark.services


@pytest.fixture
async def recorded(
    database: Database, store: StoreSettings, keeper_store: StoreSettings, tmp_path: Path
) -> AsyncIterator[Footage]:
    async with footage(database, store, keeper_store, tmp_path) as made:
        yield made


async def reconciled(recorded: Footage, **more: Any) -> ReconcileReport:
    values: dict[str, Any] = {"grace_ns": 0, "clock_ns": later}
    return await reconcile(recorded.stage.owner, recorded.stage.objects, recorded.stage.client, **(values | more))


async def written(recorded: Footage) -> None:
    async def empty() -> bool:
        return not await recorded.stage.owner.fetchval("SELECT EXISTS (SELECT FROM journal_outbox)")

    await until(empty)


async def records(recorded: Footage, kind: JournalKind) -> list[str]:
    return [info.name async for info in recorded.stage.objects.list(f"{JOURNAL_PREFIX}{kind}/")]


async def record_bytes(recorded: Footage, name: str) -> bytes:
    (info,) = [info async for info in recorded.stage.objects.list(name)]
    return await recorded.stage.objects.get_range(name, 0, info.size_bytes)


async def keys_in(recorded: Footage, name: str) -> set[uuid.UUID]:
    data = await record_bytes(recorded, name)
    return {uuid.UUID(row["hour_key_id"]) for row in json.loads(data[104:])["rows"]}


async def place_a_hold(recorded: Footage, segment: Segment) -> uuid.UUID:
    case_id, hold_id = uuid.uuid4(), uuid.uuid4()
    await recorded.stage.owner.execute(
        "INSERT INTO case_file (case_id, number, title, reason, opened_by, opened_ns, review_ns)"
        " VALUES ($1, 'a number', 'a case', 'a reason', $2, 0, 0)",
        case_id,
        uuid.uuid4(),
    )
    await recorded.stage.owner.execute(
        "INSERT INTO hold VALUES ($1, $2, 'hold', $3, $4, $5, $6, $7, $8, $4)",
        hold_id,
        case_id,
        segment.camera_id,
        segment.span.start_ns,
        segment.span.end_ns,
        bytes(32),
        b"sealed",
        uuid.uuid4(),
    )
    return hold_id


async def test_keys_that_the_journal_lost_are_named_and_written_again(recorded: Footage) -> None:
    hold_id = await place_a_hold(recorded, (await recorded.segments())[0])
    await written(recorded)
    report = await reconciled(recorded)
    assert report.ok, report  # the control: all is there
    assert report.journal.records > 3
    (name, *_), (hold,) = await records(recorded, JournalKind.HOUR_KEY), await records(recorded, JournalKind.HOLD)
    lost = await keys_in(recorded, name)
    for each in (name, hold):
        await recorded.keeper.delete(each)
    report = await reconciled(recorded)
    assert not report.ok
    assert {(item.kind, item.key_id) for item in report.unkept.listed} == {
        *((JournalKind.HOUR_KEY, key_id) for key_id in lost),
        (JournalKind.HOLD, hold_id),
    }
    assert (await reconciled(recorded, repair=True)).unkept.count == len(lost) + 1
    await written(recorded)
    report = await reconciled(recorded)
    assert report.ok, report


async def test_record_that_was_altered_is_named_with_the_keys_that_it_held(recorded: Footage) -> None:
    await written(recorded)
    (name, *_) = await records(recorded, JournalKind.HOUR_KEY)
    held, data = await keys_in(recorded, name), bytearray(await record_bytes(recorded, name))
    data[-20] ^= 1
    await recorded.keeper.delete(name)
    await recorded.put(name, bytes(data))
    report = await reconciled(recorded)
    assert not report.ok
    assert [item.name for item in report.journal.refused] == [name]
    assert {item.key_id for item in report.unkept.listed} == held
    await reconciled(recorded, repair=True)
    await written(recorded)
    report = await reconciled(recorded)
    assert report.unkept.count == 0  # under another name: the altered object stays, and is named
    assert [item.name for item in report.journal.refused] == [name]


async def test_key_that_waits_for_the_custodian_is_not_missing(recorded: Footage) -> None:
    await written(recorded)
    (name, *_) = await records(recorded, JournalKind.HOUR_KEY)
    held = await keys_in(recorded, name)
    await recorded.keeper.delete(name)
    assert (await reconciled(recorded)).unkept.count == len(held)  # the control
    await recorded.stage.owner.execute("UPDATE hour_key SET state = state WHERE hour_key_id = ANY ($1)", list(held))
    assert (await reconciled(recorded)).unkept.count == 0

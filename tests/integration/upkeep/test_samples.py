"""Samples of a drill: footage that ended since the moment of the backup is no fault; footage that is lost is one."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from domain.footage import SegmentState
from domain.time import DAY_NS
from runtime.database import connect
from runtime.settings import StoreSettings
from storage.sealed import object_name_of
from storage.store import open_store
from tests.conftest import Database
from tests.integration.upkeep.test_journal import segments, stage
from upkeep.inspection.samples import try_samples

pytestmark = pytest.mark.services


async def test_footage_that_ended_meanwhile_is_no_bad_sample(
    database: Database, store: StoreSettings, keeper_store: StoreSettings, tmp_path: Path
) -> None:
    async with stage(database, store, tmp_path) as made, open_store(keeper_store) as keeper:
        scene = await made.scene()
        assert await scene.run(segments=4, drain_s=20.0) == 0
        recorded = [item for item in await segments(made.owner) if item.state is SegmentState.LIVE]
        ending = [item for item in recorded if item.camera_id == scene.cameras[1]]
        restored = await connect(database.owner)  # sees the rows as a copy of now would hold them
        await restored.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
        assert await restored.fetchval("SELECT count(*) FROM segment") == len(recorded)
        whole = await try_samples(restored, made.owner, made.objects, made.client, 50)
        assert (whole.samples, whole.opened, whole.ended) == (len(recorded), len(recorded), 0)

        # An hour is over between the copy and the look: decided, its key gone, one object removed already.
        keys = list({item.hour_key_id for item in ending})
        await made.owner.execute("SELECT expire_hour_keys($1, $2)", keys, time.time_ns() + 400 * DAY_NS)
        await keeper.delete(object_name_of(ending[0]))
        found = await try_samples(restored, made.owner, made.objects, made.client, 50)
        assert (found.ended, found.faults) == (len(ending), [])
        assert found.samples == found.opened == len(recorded) - len(ending) > 0

        # The control: an object that is gone while its row lives.
        lost = next(item for item in recorded if item not in ending)
        await keeper.delete(object_name_of(lost))
        found = await try_samples(restored, made.owner, made.objects, made.client, 50)
        assert found.samples - found.opened == 1
        assert str(lost.segment_id) in found.faults[0]
        await restored.close()

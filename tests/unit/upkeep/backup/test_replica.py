"""The second bucket: copies come, what is over goes, and an emptied first bucket takes nothing along."""

from __future__ import annotations

import uuid
from collections.abc import AsyncGenerator

from domain.ids import CameraId, SegmentId, SiteId
from domain.time import HOUR_NS
from storage.journal import JournalKind, RecordName
from storage.sealed import object_name
from storage.store import ObjectInfo
from tests.support.faults.memory_store import FakeStore
from upkeep.backup.replica import Replica

NOW_NS = 1_796_000_000_000_000_000
CAMERA, SITE = CameraId(uuid.UUID(int=1)), SiteId(uuid.UUID(int=2))


class Bucket(FakeStore):
    async def delete(self, name: str) -> None:
        (self.journal if name in self.journal else self.objects).pop(name)

    async def list(self, prefix: str, *, start_after: str = "") -> AsyncGenerator[ObjectInfo, None]:
        async for info in super().list(prefix):
            yield info


def name(age_h: float, camera_id: CameraId = CAMERA) -> str:
    return object_name(
        site_id=SITE, camera_id=camera_id, segment_id=SegmentId(uuid.uuid4()), start_ns=NOW_NS - round(age_h * HOUR_NS)
    )


async def round_of(source: Bucket, target: Bucket) -> dict[str, int]:
    replica = Replica(source, target, {CAMERA: 72 * HOUR_NS}, clock_ns=lambda: NOW_NS)
    await replica.run_once()
    return replica.report()


async def test_second_bucket_becomes_equal() -> None:
    source, target = Bucket(), Bucket()
    source.objects = {name(age): str(age).encode() for age in (1, 2, 3)} | {"heads/1": b"", "probe/start": b"x"}
    source.journal = {"journal/v1/gap/x": b"record"}
    assert (await round_of(source, target))["copied"] == 5
    assert target.objects == {one: data for one, data in source.objects.items() if one != "probe/start"}
    assert target.journal == source.journal
    assert (await round_of(source, target))["copied"] == 0


async def test_emptied_first_bucket_takes_nothing_along_but_what_is_over() -> None:
    source, target = Bucket(), Bucket()
    living, over, unknown = name(71), name(75), name(999, CameraId(uuid.UUID(int=9)))
    target.objects = dict.fromkeys((living, over, unknown, "heads/1"), b"x")
    assert (await round_of(source, target))["removed"] == 1
    assert set(target.objects) == {living, unknown, "heads/1"}


async def test_record_that_the_keeper_removed_goes_when_its_time_is_over() -> None:
    source, target = Bucket(), Bucket()
    hours = [(NOW_NS // HOUR_NS - days * 24) * HOUR_NS for days in (399, 401)]
    young, over, certificate = (
        str(RecordName(kind=kind, hour_ns=hour_ns, digest="0" * 32))
        for kind, hour_ns in (
            (JournalKind.HOUR_KEY, hours[0]),
            (JournalKind.HOUR_KEY, hours[1]),
            (JournalKind.CERTIFICATE, hours[1]),
        )
    )
    target.journal = dict.fromkeys((young, over, certificate), b"record")
    assert (await round_of(source, target))["removed"] == 1
    assert set(target.journal) == {young, certificate}


async def test_what_is_held_in_the_first_bucket_stays_in_the_second() -> None:
    source, target = Bucket(), Bucket()
    held = name(500)
    source.objects = {held: b"x"}
    target.objects = {held: b"x"}
    await round_of(source, target)
    assert held in target.objects

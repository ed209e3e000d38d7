"""A bucket's objects as days of each camera, and what is none of ours."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator
from typing import Any, cast

import pytest

from domain.footage import SEGMENT_MAX_NS
from domain.ids import CameraId, SegmentId, SiteId
from domain.time import DAY_NS
from storage.sealed import object_name
from storage.store import ObjectInfo, ObjectStore
from upkeep.inspection.listing import days, footage_of

SITE, CAMERAS = SiteId(uuid.uuid4()), sorted(CameraId(uuid.uuid4()) for _ in range(2))
T = 20_000 * DAY_NS


def info(camera: CameraId, start_ns: int, modified_ns: int | None = 5) -> ObjectInfo:
    name = object_name(site_id=SITE, camera_id=camera, segment_id=SegmentId(uuid.uuid4()), start_ns=start_ns)
    return ObjectInfo(name=name, size_bytes=1, modified_ns=modified_ns)


class Store:
    def __init__(self, *infos: ObjectInfo) -> None:
        self.infos = infos

    async def list(self, _: str) -> AsyncIterator[ObjectInfo]:
        for each in self.infos:
            yield each


async def listed(*infos: ObjectInfo) -> list[tuple[list[int], list[str]]]:
    store = cast("ObjectStore", cast("Any", Store(*infos)))
    return [
        ([(each.start_ns - T) // 10**9 for each in day.objects], [each.name for each in day.foreign])
        async for day in days(store)
    ]


async def test_days_end_at_midnight_and_at_the_next_camera() -> None:
    one, other = CAMERAS
    found = await listed(info(one, T), info(one, T + DAY_NS - 10**9), info(one, T + DAY_NS), info(other, T + DAY_NS))
    assert [starts for starts, _ in found] == [[0, 86_399], [86_400], [86_400]]


async def test_foreign_objects_come_along_and_a_bucket_of_nothing_is_no_day() -> None:
    stranger = ObjectInfo(name="footage/readme.txt", size_bytes=1, modified_ns=None)
    assert await listed() == []
    assert await listed(stranger) == [([], ["footage/readme.txt"])]
    assert await listed(stranger, info(CAMERAS[0], T)) == [([0], ["footage/readme.txt"])]


@pytest.mark.parametrize(("modified_ns", "written_ns"), [(T + 7, T + 7), (None, T + SEGMENT_MAX_NS)])
def test_object_is_written_when_the_store_says_or_at_the_earliest_possible(
    modified_ns: int | None, written_ns: int
) -> None:
    found = footage_of(info(CAMERAS[0], T, modified_ns))
    assert found is not None
    assert (found.written_ns, found.day_ns, found.camera_id) == (written_ns, T, CAMERAS[0])

"""The bucket's footage by camera and day, derived from the objects' names."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import aclosing
from dataclasses import dataclass

from domain.footage import SEGMENT_MAX_NS
from domain.ids import CameraId, SegmentId, SiteId
from domain.time import DAY_NS
from storage.sealed import OBJECT_PREFIX, parse_object_name
from storage.store import ObjectInfo, ObjectStore


@dataclass(frozen=True, slots=True, kw_only=True)
class Footage:
    """One object whose name is ours."""

    info: ObjectInfo
    site_id: SiteId
    camera_id: CameraId
    segment_id: SegmentId
    start_ns: int

    @property
    def day_ns(self) -> int:
        """Start of the UTC day in which the footage begins."""
        return self.start_ns - self.start_ns % DAY_NS

    @property
    def written_ns(self) -> int:
        """By the store's clock; without it, the earliest time at which the object can have been written."""
        return self.info.modified_ns if self.info.modified_ns is not None else self.start_ns + SEGMENT_MAX_NS


def footage_of(info: ObjectInfo) -> Footage | None:
    """None for a name that our recorders do not give."""
    name = parse_object_name(info.name)
    if name is None:
        return None
    return Footage(
        info=info,
        site_id=name.site_id,
        camera_id=name.camera_id,
        segment_id=name.segment_id,
        start_ns=name.start_ns,
    )


@dataclass(slots=True)
class Day:
    """One camera's day: some ten thousand objects at most."""

    objects: list[Footage]
    foreign: list[ObjectInfo]

    @property
    def key(self) -> tuple[SiteId, CameraId, int] | None:
        """Site, camera and day of the objects; None when all are foreign."""
        first = self.objects[0] if self.objects else None
        return None if first is None else (first.site_id, first.camera_id, first.day_ns)


async def days(store: ObjectStore) -> AsyncIterator[Day]:
    """The whole bucket, in the order of its names. What is not footage comes along in ``foreign``."""
    day = Day([], [])
    async with aclosing(store.list(OBJECT_PREFIX)) as listing:
        async for info in listing:
            item = footage_of(info)
            if item is None:
                day.foreign.append(info)
                continue
            if day.objects and day.key != (item.site_id, item.camera_id, item.day_ns):
                yield day
                day = Day([], [])
            day.objects.append(item)
    if day.objects or day.foreign:
        yield day

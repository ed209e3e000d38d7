"""Names of sealed objects in the bucket. This module alone builds and parses them.

``v1/<site>/<camera>/<YYYYMMDD>/<start_ns>-<segment>.tlns`` holds ids and a time, no personal data (invariant 8).
Names sort by site, camera, day and, for times since 2001, by start: ``<start_ns>`` has no leading zeros.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from domain.footage import Segment
from domain.ids import CameraId, SegmentId, SiteId
from domain.time import day_name

OBJECT_PREFIX: Final = "v1/"
_SUFFIX: Final = ".tlns"
_UUID: Final = "([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})"
_NAME: Final = re.compile(rf"{OBJECT_PREFIX}{_UUID}/{_UUID}/(\d{{8}})/(\d{{1,19}})-{_UUID}{re.escape(_SUFFIX)}")


@dataclass(frozen=True, slots=True, kw_only=True)
class ObjectName:
    """The fields of a name."""

    site_id: SiteId
    camera_id: CameraId
    segment_id: SegmentId
    start_ns: int


def object_name(*, site_id: SiteId, camera_id: CameraId, segment_id: SegmentId, start_ns: int) -> str:
    """Return the name of a segment's object."""
    return f"{OBJECT_PREFIX}{site_id}/{camera_id}/{day_name(start_ns)}/{start_ns}-{segment_id}{_SUFFIX}"


def object_name_of(segment: Segment) -> str:
    """Return the name of the object that a catalogue row describes."""
    return object_name(
        site_id=segment.site_id,
        camera_id=segment.camera_id,
        segment_id=segment.segment_id,
        start_ns=segment.span.start_ns,
    )


def parse_object_name(name: str) -> ObjectName | None:
    """Return the fields of ``name``, or None when no recorder gives such a name."""
    match = _NAME.fullmatch(name)
    # One object has one name: the day has to follow from the start.
    if match is None or match[3] != day_name(int(match[4])):
        return None
    return ObjectName(
        site_id=SiteId(UUID(match[1])),
        camera_id=CameraId(UUID(match[2])),
        segment_id=SegmentId(UUID(match[5])),
        start_ns=int(match[4]),
    )

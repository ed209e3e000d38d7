"""Names of objects: ids and a time, one name for one object."""

from __future__ import annotations

from dataclasses import replace
from uuid import UUID

import pytest

from domain.footage import Codec, Segment
from domain.ids import CameraId, HourKeyId, RecorderId, SegmentId, SiteId
from domain.time import DAY_NS, NS, Span
from storage.sealed import OBJECT_PREFIX, object_name, object_name_of, parse_object_name
from storage.sealed.names import ObjectName

SITE, CAMERA, SEGMENT = SiteId(UUID(int=1)), CameraId(UUID(int=2)), SegmentId(UUID(int=3))
START_NS = 1_790_000_000 * NS
NAME = (
    "v1/00000000-0000-0000-0000-000000000001/00000000-0000-0000-0000-000000000002/20260921/"
    "1790000000000000000-00000000-0000-0000-0000-000000000003.tlns"
)


def test_object_name_holds_ids_and_times_only() -> None:
    assert object_name(site_id=SITE, camera_id=CAMERA, segment_id=SEGMENT, start_ns=START_NS) == NAME
    assert NAME.startswith(OBJECT_PREFIX)


def test_parsed_name_gives_the_fields_that_built_it() -> None:
    expected = ObjectName(site_id=SITE, camera_id=CAMERA, segment_id=SEGMENT, start_ns=START_NS)
    assert parse_object_name(NAME) == expected


@pytest.mark.parametrize("start_ns", [0, 1, DAY_NS - 1, DAY_NS, START_NS // DAY_NS * DAY_NS])
def test_name_at_the_edges_of_a_day_parses_again(start_ns: int) -> None:
    found = parse_object_name(object_name(site_id=SITE, camera_id=CAMERA, segment_id=SEGMENT, start_ns=start_ns))
    assert found is not None
    assert found.start_ns == start_ns


def test_row_and_its_object_have_the_same_name() -> None:
    segment = Segment(
        segment_id=SEGMENT,
        site_id=SITE,
        camera_id=CAMERA,
        recorder_id=RecorderId(UUID(int=4)),
        hour_key_id=HourKeyId(UUID(int=5)),
        span=Span(START_NS, START_NS + NS),
        size_bytes=1,
        sha256=bytes(32),
        header=bytes(210),
        codec=Codec(name="h264", mime="avc1.640028", width=640, height=360),
        init_size=1,
        frames=1,
        recovered=False,
        fragments=None,
    )
    assert object_name_of(segment) == NAME
    assert object_name_of(replace(segment, span=Span(START_NS + 1, START_NS + NS))) != NAME


@pytest.mark.parametrize(
    "foreign",
    [
        "",
        "probe/start",
        NAME[1:],
        "v2" + NAME[2:],
        "a/" + NAME,
        NAME + "\n",
        NAME + ".new",
        NAME.replace("20260921", "20260922"),  # not the day of its start
        NAME.replace("20260921", "2026092"),
        NAME.replace("1790000000000000000", "-1790000000000000000"),
        NAME.replace("1790000000000000000", "17900000000000000000"),
        NAME.replace("0003.tlns", "003.tlns"),
        NAME.replace("-0000-", "-000A-"),
        NAME.replace(".tlns", "xtlns"),
    ],
)
def test_name_that_no_recorder_gives_is_none(foreign: str) -> None:
    assert parse_object_name(foreign) is None

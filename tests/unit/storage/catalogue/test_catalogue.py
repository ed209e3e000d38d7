"""The catalogue's calls: what they ask and what they make of the answer. The SQL itself has integration tests."""

from __future__ import annotations

from uuid import UUID

import pytest

from domain.footage import Gap, GapCause
from domain.ids import CameraId
from domain.time import DAY_NS, Span, day_of
from storage.catalogue import Catalogue, Commit
from tests.support.database.recording_pool import RecordingPool
from tests.support.footage.rows import SEGMENT, START_NS, segment, segment_row

PACKAGE = "storage.catalogue"


@pytest.mark.parametrize("outcome", list(Commit))
async def test_commit_tells_what_became_of_the_segment(outcome: Commit) -> None:
    pool = RecordingPool([], [{"commit_segment": outcome.value}])
    assert await Catalogue(pool).commit_segment(SEGMENT) is outcome
    (arguments,) = pool.asked_for(PACKAGE, "commit_segment")
    assert (arguments[0], arguments[23]) == (SEGMENT.segment_id, SEGMENT.trailer)


async def test_days_partition_is_ensured_once_a_day() -> None:
    answer = [{"commit_segment": "live"}]
    pool = RecordingPool([], answer, answer, [], answer)
    catalogue = Catalogue(pool)
    tomorrow = segment(span=Span(START_NS + DAY_NS, START_NS + DAY_NS + 1))
    for made in (SEGMENT, SEGMENT, tomorrow):
        await catalogue.commit_segment(made)
    assert pool.asked_for(PACKAGE, "ensure_segment_day") == [(day_of(START_NS),), (day_of(START_NS) + DAY_NS,)]


async def test_gaps_are_committed_in_pieces_of_a_day_by_one_statement() -> None:
    pool = RecordingPool()
    start = 20_000 * DAY_NS - 5
    gaps = [Gap(camera_id=SEGMENT.camera_id, span=Span(start, start + 10), cause=GapCause.LOSS, detail="why")]
    await Catalogue(pool).commit_gaps(gaps)
    assert pool.arguments == (
        [SEGMENT.camera_id] * 2,
        [start, start + 5],
        [start + 5, start + 10],
        ["loss", "loss"],
        ["why", "why"],
    )


async def test_leases_come_by_camera() -> None:
    pool = RecordingPool([{"camera_id": SEGMENT.camera_id, "lease": 4}])
    assert await Catalogue(pool).take_leases([SEGMENT.camera_id], SEGMENT.recorder_id) == {SEGMENT.camera_id: 4}
    assert pool.arguments == ([SEGMENT.camera_id], SEGMENT.recorder_id)


async def test_one_segment_is_looked_up_by_its_start() -> None:
    pool = RecordingPool([{"start_ns": START_NS}], [segment_row(SEGMENT)])
    assert await Catalogue(pool).segment(SEGMENT.segment_id) == SEGMENT
    assert pool.arguments == (SEGMENT.segment_id, START_NS)
    assert await Catalogue(RecordingPool()).segment(SEGMENT.segment_id) is None
    gone = RecordingPool([{"start_ns": START_NS}], [])  # its partition was dropped meanwhile
    assert await Catalogue(gone).segment(SEGMENT.segment_id) is None


async def test_rows_become_segments_and_gaps() -> None:
    span = Span(START_NS, START_NS + 1)
    pool = RecordingPool([segment_row(SEGMENT)])
    assert await Catalogue(pool).segments([SEGMENT.camera_id], span) == [SEGMENT]
    assert pool.arguments == ([SEGMENT.camera_id], START_NS, START_NS + 1)
    rows = [
        {"camera_id": SEGMENT.camera_id, "start_ns": at, "end_ns": at + 5, "cause": "loss", "detail": ""}
        for at in (0, 5)
    ]
    (found,) = await Catalogue(RecordingPool(rows)).gaps([SEGMENT.camera_id], span)
    assert found.span == Span(0, 10)


async def test_published_keys_come_as_they_are() -> None:
    row = {
        "hour_key_id": UUID(int=1),
        "serial": 2,
        "site_id": UUID(int=3),
        "camera_id": CameraId(UUID(int=4)),
        "hour_ns": 5,
        "public_key": b"p" * 32,
        "state": "draining",
        "signature": b"s" * 64,
    }
    (found,) = await Catalogue(RecordingPool([row])).published_hour_keys([CameraId(UUID(int=4))], 5)
    assert {name: getattr(found, name) for name in row} == row


async def test_accounted_time_comes_by_camera() -> None:
    camera, span = SEGMENT.camera_id, Span(START_NS, START_NS + 9)
    pool = RecordingPool(
        [{"camera_id": camera, "end_ns": 7}], [{"camera_id": camera, "start_ns": n, "end_ns": n + 2} for n in (1, 5)]
    )
    assert await Catalogue(pool).accounted_until({camera: 9}) == {camera: 7}
    assert pool.asked_for(PACKAGE, "accounted_until") == [([camera], [9])]
    assert await Catalogue(pool).accounted_spans({camera: span}) == {camera: [Span(1, 3), Span(5, 7)]}
    assert pool.asked_for(PACKAGE, "accounted_spans") == [([camera], [span.start_ns], [span.end_ns])]

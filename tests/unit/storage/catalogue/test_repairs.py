"""Repairs: gaps make room for a row that is live again, and a row whose object is gone becomes one."""

from __future__ import annotations

from typing import Any

import pytest

from domain.time import Span
from storage.catalogue import Commit
from storage.catalogue.repairs import restore_segment, set_gone
from tests.support.database.recording_pool import RecordingPool
from tests.support.footage.rows import SEGMENT, START_NS, segment

PACKAGE = "storage.catalogue"


def gap_row(start_ns: int, end_ns: int) -> dict[str, Any]:
    return {"camera_id": SEGMENT.camera_id, "start_ns": start_ns, "end_ns": end_ns, "cause": "loss", "detail": "why"}


@pytest.mark.parametrize(
    ("gap", "left"),
    [
        ((0, 100), [(0, 40), (60, 100)]),
        ((40, 60), []),
        ((50, 100), [(60, 100)]),
        ((0, 50), [(0, 40)]),
        ((41, 59), []),
    ],
)
async def test_live_row_takes_its_span_out_of_the_gaps(gap: tuple[int, int], left: list[tuple[int, int]]) -> None:
    pool = RecordingPool([], [{"commit_segment": "live"}], [gap_row(*gap)])
    assert await restore_segment(pool, segment(span=Span(40, 60)), 99) is Commit.LIVE
    added = pool.asked_for(PACKAGE, "commit_gaps")
    assert [(arguments[1][0], arguments[2][0]) for arguments in added] == left
    assert all(arguments[3:] == (["loss"], ["why"]) for arguments in added)
    assert pool.outside == []


@pytest.mark.parametrize("outcome", ["shadow", "duplicate"])
async def test_row_that_is_not_live_leaves_the_gaps(outcome: str) -> None:
    pool = RecordingPool([], [{"commit_segment": outcome}])
    assert await restore_segment(pool, SEGMENT, 99) is Commit(outcome)
    assert pool.asked_for(PACKAGE, "gaps_take") == []


async def test_live_row_without_its_object_becomes_a_gap_and_the_indexer_is_notified() -> None:
    pool = RecordingPool([{"before": "live"}])
    assert await set_gone(pool, SEGMENT.segment_id, SEGMENT.camera_id, SEGMENT.span, "object missing")
    assert pool.asked_for(PACKAGE, "tell_indexer") == [(SEGMENT.segment_id,)]
    (added,) = pool.asked_for(PACKAGE, "commit_gaps")
    assert added == ([SEGMENT.camera_id], [START_NS], [SEGMENT.span.end_ns], ["quarantined"], ["object missing"])
    assert pool.outside == []


async def test_shadow_without_its_object_leaves_no_gap_and_a_row_that_expired_is_left_alone() -> None:
    pool = RecordingPool([{"before": "shadow"}])
    assert await set_gone(pool, SEGMENT.segment_id, SEGMENT.camera_id, SEGMENT.span, "object missing")
    assert len(pool.asked) == 1
    pool = RecordingPool()
    assert not await set_gone(pool, SEGMENT.segment_id, SEGMENT.camera_id, SEGMENT.span, "object missing")
    assert len(pool.asked) == 1

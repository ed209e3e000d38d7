"""Repairs: a row comes back, and a row whose object is gone becomes a gap."""

from __future__ import annotations

import pytest

from storage.catalogue import Commit
from storage.catalogue.repairs import restore_segment, set_gone
from tests.support.database.recording_pool import RecordingPool
from tests.support.footage.rows import SEGMENT, START_NS

PACKAGE = "storage.catalogue"


@pytest.mark.parametrize("outcome", ["live", "shadow", "duplicate"])
async def test_row_is_restored_in_one_transaction(outcome: str) -> None:
    pool = RecordingPool([], [{"commit_segment": outcome}])
    assert await restore_segment(pool, SEGMENT, 99) is Commit(outcome)
    assert pool.outside == []


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

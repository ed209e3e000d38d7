"""Repairs: a row comes back, and a row whose object is gone becomes a gap."""

from __future__ import annotations

import pytest

from storage.catalogue import Commit
from storage.catalogue.repairs import commit_verified, restore_segment, set_gone
from tests.support.database.recording_pool import RecordingPool
from tests.support.footage.rows import SEGMENT, START_NS

PACKAGE = "storage.catalogue"


@pytest.mark.parametrize("outcome", ["live", "contested", "shadow", None])
async def test_row_is_restored_and_settled_in_one_transaction(outcome: str | None) -> None:
    pool = RecordingPool([{"epoch": 7}], [], [{"commit_segment": "contested"}], [{"settle_segment": outcome}])
    assert await restore_segment(pool, SEGMENT, "v1/x") is Commit(outcome or "contested")
    assert pool.asked_for(PACKAGE, "settle_segment") == [(SEGMENT.segment_id, None, "v1/x")]
    (arguments,) = pool.asked_for(PACKAGE, "commit_segment")
    assert 7 in arguments and SEGMENT.epoch not in arguments  # an object does not know its epoch
    assert pool.outside == []


@pytest.mark.parametrize("outcome", ["duplicate", "expired"])
async def test_row_that_is_known_or_expired_is_not_settled(outcome: str) -> None:
    pool = RecordingPool([], [{"commit_segment": outcome}])
    assert await commit_verified(pool, SEGMENT, "v1/x") is Commit(outcome)
    assert pool.asked_for(PACKAGE, "settle_segment") == []


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

"""Quarantined messages: rows to types, pages, limits."""

from __future__ import annotations

from uuid import UUID

from storage.access import Cursor, quarantined
from storage.access.quarantine import LIMIT_MAX
from tests.support.database.recording_pool import RecordingPool

ROW = {
    "quarantine_id": UUID(int=1),
    "received_ns": 5,
    "topic": "gym/front",
    "reason": "not JSON",
    "seen_count": 2,
    "size_bytes": 70,
    "replayed_ns": None,
}


async def test_row_ends_a_page() -> None:
    (found,) = await quarantined(RecordingPool([ROW]))
    assert (found.topic, found.reason, found.seen_count, found.replayed_ns) == ("gym/front", "not JSON", 2, None)
    assert found.cursor == Cursor(time_ns=5, row_id=UUID(int=1))


async def test_limit_cursor_and_choice_go_to_the_database() -> None:
    pool = RecordingPool()
    await quarantined(pool)
    assert pool.arguments == (100, None, None, False)
    await quarantined(pool, limit=10 * LIMIT_MAX, before=Cursor(time_ns=5, row_id=UUID(int=1)), waiting_only=True)
    assert pool.arguments == (LIMIT_MAX, 5, UUID(int=1), True)

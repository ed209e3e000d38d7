from __future__ import annotations

import uuid

from domain.ids import new_event_id

NOW = 1_795_000_000_123_456_789


def test_event_ids_begin_with_the_time_and_differ() -> None:
    ids = [new_event_id(NOW) for _ in range(1000)]
    assert len(set(ids)) == 1000
    assert {one.version for one in ids} == {7} and {one.variant for one in ids} == {uuid.RFC_4122}
    assert {one.int >> 80 for one in ids} == {NOW // 1_000_000}
    assert max(ids) < new_event_id(NOW + 1_000_000)
    # Every random bit is used: 74 of 122 that are not version, variant or time.
    seen = 0
    for one in ids:
        seen |= one.int
    assert seen & (1 << 62) - 1 == (1 << 62) - 1 and seen >> 64 & 0xFFF == 0xFFF

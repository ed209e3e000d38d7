"""Ids: the same name gives the same id for ever, events begin with their time, and nothing can be guessed."""

from __future__ import annotations

import os
import uuid

import pytest

from domain.ids import camera_id_of, door_id_of, new_event_id, new_id, site_id_of

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


def test_event_id_is_laid_out_as_rfc_9562_says(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "urandom", lambda count: bytes(range(0xA5, 0xA5 + count)))
    # 48 bits of milliseconds, 7, 12 bits, 2, 62 bits; the random bits in the order in which they came.
    assert new_event_id((1 << 48) * 1_000_000 + 5).int >> 80 == 0  # the year 10889
    assert new_event_id(0x0123456789AB * 1_000_000 + 999_999).hex == "0123456789ab769aa7a8a9aaabacadae"


def test_names_in_the_configuration_keep_their_ids() -> None:
    """A machine that is set up anew finds its footage under them: written down, so that nothing changes them."""
    site = site_id_of("Main Street")
    assert str(site) == "c1acb75f-9c4d-5cae-bfdd-ca39d49d23fb"
    assert str(camera_id_of(site, "Entrance")) == "17531f37-7c73-5a98-b46f-87efaec3ecd7"
    assert str(door_id_of(site, "Entrance")) == "b4cc0637-9201-5f41-8463-81be81de0bee"
    assert new_id() != new_id()
    assert new_id().version == 4

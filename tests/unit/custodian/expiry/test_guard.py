"""Which clock is believed, and how much expires without a person's word."""

from __future__ import annotations

from dataclasses import replace

import pytest

from custodian.expiry.guard import AHEAD_NS, Evidence, doubt
from domain.time import HOUR_NS

NOW_NS = 1_790_000_000 * 10**9
CALM = Evidence(
    now_ns=NOW_NS,
    tick_ns=NOW_NS - HOUR_NS,
    confirmed_ns=0,
    database_ns=NOW_NS,
    footage_ns=NOW_NS - HOUR_NS,
    keys_known=True,
    paused=None,
    camera_hours=4,
    at_once=4,
)


def words(evidence: Evidence) -> str:
    held = doubt(evidence)
    return "" if held is None else str(held)


def test_nothing_is_held_while_all_witnesses_agree() -> None:
    assert words(CALM) == ""
    assert words(replace(CALM, footage_ns=None)) == ""
    assert words(replace(CALM, now_ns=NOW_NS - 40 * HOUR_NS)) == ""  # a clock that is behind destroys nothing early


@pytest.mark.parametrize(
    ("field", "of"),
    [("tick_ns", "saw last"), ("database_ns", "the database's"), ("footage_ns", "the newest footage")],
)
def test_clock_ahead_of_any_witness_holds_from_the_bound_on(field: str, of: str) -> None:
    assert words(replace(CALM, **{field: NOW_NS - AHEAD_NS})) == ""  # type: ignore[arg-type]
    held = words(replace(CALM, **{field: NOW_NS - AHEAD_NS - 1}))  # type: ignore[arg-type]
    assert of in held
    assert "tallenne retention confirm" in held


def test_unknown_last_time_holds() -> None:
    assert "saw last" in words(replace(CALM, tick_ns=None))


def test_old_footage_counts_as_new_after_a_confirmation() -> None:
    old = replace(CALM, footage_ns=NOW_NS - 100 * HOUR_NS)
    assert "the newest footage" in words(old)
    assert words(replace(old, confirmed_ns=NOW_NS - HOUR_NS)) == ""


def test_more_than_the_limit_at_once_holds() -> None:
    assert words(replace(CALM, camera_hours=4)) == ""
    assert "5 camera-hours are overdue" in words(replace(CALM, camera_hours=5))


def test_pause_and_a_database_without_keys_hold() -> None:
    assert "was rebuilt" in words(replace(CALM, paused="the catalogue was rebuilt from the bucket"))
    assert "no hour key" in words(replace(CALM, keys_known=False))

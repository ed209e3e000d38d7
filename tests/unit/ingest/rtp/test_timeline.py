"""RTP timestamps of any rate on the pictures' timeline."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.rtp.timeline import Timeline


@pytest.mark.parametrize(("rate_hz", "second"), [(90_000, 90_000), (30_000, 30_000), (1_000, 1_000), (0, 90_000)])
def test_a_second_is_a_second_at_the_rate_of_the_description(rate_hz: int, second: int) -> None:
    timeline = Timeline(rate_hz)
    timeline.begin(7 * second)
    first = timeline.ticks
    timeline.advance(8 * second)
    assert timeline.ticks - first == 90_000


@pytest.mark.parametrize("rate_hz", [-1, 1, 999, 10_000_001])
def test_rate_that_makes_no_sense_is_not_believed(rate_hz: int) -> None:
    timeline = Timeline(rate_hz)
    timeline.begin(0)
    timeline.advance(90_000)
    assert timeline.ticks == 90_000


@given(
    rate_hz=st.sampled_from((90_000, 30_000, 44_100)),
    start=st.integers(0, (1 << 32) - 1),
    steps=st.lists(st.integers(-(1 << 30), 1 << 30), max_size=20),
)
def test_time_wraps_goes_back_and_never_drifts(rate_hz: int, start: int, steps: list[int]) -> None:
    """Rounded from the whole way, not step by step."""
    timeline = Timeline(rate_hz)
    timeline.begin(start)
    first, passed, newest = timeline.ticks, 0, timeline.ticks
    for step in steps:
        passed += step
        assert timeline.ticks_of(start + passed & 0xFFFFFFFF) == first + passed * 90_000 // rate_hz
        timeline.advance(start + passed & 0xFFFFFFFF)
        assert timeline.ticks == first + passed * 90_000 // rate_hz
        newest = max(newest, timeline.ticks)
        assert timeline.newest_ticks == newest


def test_another_source_goes_on_where_it_is_told_to() -> None:
    timeline = Timeline(90_000)
    assert timeline.ticks_of(5) is None
    timeline.begin(1_000)
    timeline.begin_at(77, 4_000)
    timeline.advance(77 + 3_600)
    assert timeline.ticks == 7_600

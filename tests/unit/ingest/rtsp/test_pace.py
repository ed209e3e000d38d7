"""Pauses between reads: longer for a slow camera, never so long that the socket fills."""

from __future__ import annotations

import pytest

from ingest.rtsp.pace import LONGEST_S, Pace

SECOND_NS = 1_000_000_000
SHORTEST_S = 0.02


@pytest.mark.parametrize("bytes_per_s", [1, 100_000, 500_000, 1_000_000, 5_000_000, 100_000_000])
def test_pause_fills_at_most_half_of_what_the_socket_holds(bytes_per_s: int) -> None:
    buffer = 1 << 20
    pace = Pace(buffer)
    pause_s = pace.after(bytes_per_s // 50, SECOND_NS // 50)
    assert SHORTEST_S <= pause_s <= LONGEST_S
    assert pause_s == SHORTEST_S or pause_s * bytes_per_s <= buffer // 4


def test_read_that_may_have_emptied_a_full_socket_is_followed_by_the_next_at_once() -> None:
    assert Pace(4000).after(1000, SECOND_NS) == SHORTEST_S
    assert Pace(4000).after(999, SECOND_NS) == LONGEST_S


def test_peak_of_a_key_picture_is_remembered_and_fades() -> None:
    pace = Pace(1 << 20)
    at_peak = pace.after(200_000, SECOND_NS // 50)
    after = [pace.after(1000, SECOND_NS // 50) for _ in range(60)]
    assert at_peak <= after[0] < after[10] <= after[-1] == LONGEST_S


def test_two_reads_at_the_same_instant_are_no_division_by_zero() -> None:
    assert Pace(1 << 20).after(10, 0) > 0

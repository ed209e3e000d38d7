"""Stamps to media time, one rule at a time. Whole cameras: tests/cameras/stamps.py."""

from __future__ import annotations

import itertools
from collections.abc import Iterable

import pytest

from ingest.media.stamps import Stamps

FRAME = 3600  # 25 a second


def media(stamps: Stamps, ticks: Iterable[int], elapsed: int = FRAME) -> list[int]:
    return [stamps.media(one, elapsed, 0.0) for one in ticks]


def test_steady_stamps_are_media_time() -> None:
    stamps = Stamps()
    given = [7 + number * FRAME for number in range(50)]
    assert media(stamps, given) == given
    assert (stamps.jumps, stamps.useless, stamps.trusted, stamps.shift) == (0, False, True, 0)


def test_b_frames_are_media_time() -> None:
    stamps = Stamps()
    given = [place * FRAME for first in range(0, 80, 4) for place in (first + 4, first + 2, first + 1, first + 3)]
    assert media(stamps, given) == given
    assert stamps.jumps == 0


@pytest.mark.parametrize("away", [-9800 * 90_000, 9800 * 90_000, -180_000, 60_000])
def test_one_odd_stamp_is_replaced(away: int) -> None:
    stamps = Stamps()
    given = [number * FRAME + away * (number == 30) for number in range(50)]
    assert media(stamps, given) == [number * FRAME for number in range(50)]
    assert stamps.jumps == 0


@pytest.mark.parametrize("by", [9800 * 90_000, -9800 * 90_000, 60_000, -18_000])
def test_two_that_follow_each_other_are_a_jump_and_media_time_has_no_step(by: int) -> None:
    stamps = Stamps()
    given = [number * FRAME + by * (number >= 30) for number in range(50)]
    assert media(stamps, given) == [number * FRAME for number in range(50)]
    assert (stamps.jumps, stamps.shift) == (1, -by)


def test_jump_behind_a_pause_leaves_the_pause() -> None:
    stamps = Stamps()
    media(stamps, [number * FRAME for number in range(30)])
    stamps.media(500_000_000, 270_000, 0.0)  # three seconds later
    after = stamps.media(500_000_000 + FRAME, FRAME, 0.0)
    assert after - 29 * FRAME == pytest.approx(270_000, abs=2 * FRAME)


def test_pictures_that_were_left_out_are_missing_from_media_time_too() -> None:
    stamps = Stamps()
    media(stamps, [number * FRAME for number in range(30)])
    assert stamps.media(100 * FRAME, 71 * FRAME, 0.0) == 100 * FRAME
    assert stamps.media(150 * FRAME, 0, 50 * FRAME) == 150 * FRAME  # the one before came late: there was time
    assert stamps.jumps == 0


@pytest.mark.parametrize("step", [0, 1, 40, 200])
def test_stamps_that_stand_still_are_useless_and_the_pictures_stay_apart(step: int) -> None:
    stamps = Stamps()
    found = media(stamps, [number * step for number in range(50)])
    assert stamps.useless
    assert not stamps.trusted
    assert all(after - before > 100 for before, after in itertools.pairwise(found))


def test_stamps_that_run_backwards_are_useless_and_no_b_frames() -> None:
    stamps = Stamps()
    media(stamps, [1_000_000 - number * FRAME for number in range(30)])
    assert stamps.useless


def test_clock_that_is_set_again_and_again_tells_nothing() -> None:
    stamps = Stamps()
    media(stamps, [number * FRAME + number // 8 * 90_000 for number in range(60)])
    assert stamps.useless


def test_two_pictures_with_each_stamp_are_evenly_apart() -> None:
    stamps = Stamps()
    found = media(stamps, [number // 2 * 2 * FRAME for number in range(200)])
    assert not stamps.useless
    steps = [after - before for before, after in itertools.pairwise(found[100:])]
    assert all(step == pytest.approx(FRAME, rel=0.02) for step in steps)


def test_stamps_that_run_again_are_trusted_again() -> None:
    stamps = Stamps()
    media(stamps, [0] * 50)
    assert stamps.useless
    media(stamps, [number * FRAME for number in range(60)])
    assert not stamps.useless
    assert stamps.trusted


def test_media_time_goes_on_where_it_is_moved_to() -> None:
    stamps = Stamps()
    media(stamps, [number * FRAME for number in range(10)])
    stamps.move(1_000_000)
    assert stamps.high == 9 * FRAME + 1_000_000
    assert stamps.media(10 * FRAME, FRAME, 0.0) == 10 * FRAME + 1_000_000

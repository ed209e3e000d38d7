"""Time: a camera's media time and the system's clock against the monotonic one.

Cameras by their behaviour are in tests/cameras/stamps.py.
"""

from __future__ import annotations

import itertools
import random
from collections.abc import Iterator

import pytest

from domain.time import NS
from ingest.media.clock import MediaClock, RecorderClock, TimedBy, ns_to_ticks, ticks_to_ns
from ingest.rtp.timeline import Timeline
from tests.support.cameras.simulated import (
    BASE_DELAY_S,
    Picture,
    batches,
    camera,
    error_s,
    narrow,
    prompt,
    run,
    stalling,
)


def in_order(placed: list[Picture]) -> bool:
    return all(before.placed_s < after.placed_s for before, after in itertools.pairwise(placed))


# -- A link slower than the camera


@pytest.mark.parametrize("known", [True, False])
@pytest.mark.parametrize("part", [0.5, 0.7, 0.9])
def test_pictures_keep_their_time_while_a_slow_link_falls_behind_and_catches_up(part: float, known: bool) -> None:
    """With and without knowing of rests: whole pictures that come by their bytes show a full link, too."""
    pictures = camera(60)
    bytes_per_s = sum(one.size for one in pictures) / 60
    came = list(narrow(pictures, lambda at: part * bytes_per_s if 10 < at < 30 else 8 * bytes_per_s))
    assert max(at - one.taken_s for one, at in zip(pictures, came, strict=True)) > 1.5
    clock = MediaClock()
    placed = run(clock, ((batch, rests if known else None) for batch, rests in batches(pictures, came)))
    assert placed == pictures
    assert in_order(placed)
    assert error_s(placed, 2) < 0.15
    assert clock.timed_by is TimedBy.STAMPS


def test_link_that_never_keeps_up_says_how_late_it_is() -> None:
    pictures = camera(40)
    came = list(narrow(pictures, lambda _: 0.8 * sum(one.size for one in pictures) / 40))
    clock = MediaClock()
    placed = run(clock, batches(pictures, came))
    first_s = came[0] - BASE_DELAY_S  # nothing tells how long the first picture was on its way
    assert error_s(placed, 2) < first_s + 0.05
    assert clock.delay_s == pytest.approx(came[-1] - 40, abs=0.5)
    assert clock.delay_s > 5


# -- What is known of it


def test_first_pictures_are_placed_once_the_clock_has_settled() -> None:
    clock = MediaClock()
    pictures = camera(2)
    seen = []
    for batch, rests in batches(pictures, list(prompt(pictures))):
        clock.take(batch, 1, rests)
        seen.append((batch[-1].taken_s, clock.settled))
    assert [settled for _, settled in seen] == [at >= 0.69 for at, _ in seen]


def test_burst_of_old_pictures_at_connect_is_of_the_past() -> None:
    pictures = camera(20)
    came = [max(3.0, one.taken_s) + BASE_DELAY_S for one in pictures]
    placed = run(MediaClock(), batches(pictures, came))
    assert error_s(placed, 0) < 0.01


def test_b_frames_keep_their_distance() -> None:
    pictures = [Picture(0.0, 0, 5000) for _ in range(800)]
    places = [number + place for number in range(0, 800, 8) for place in (8, 4, 2, 1, 3, 6, 5, 7)]
    for at, (picture, place) in enumerate(zip(pictures, places, strict=True)):
        picture.taken_s, picture.pts_ticks = place / 25, place * 3600
        picture.size = at
    came = [(picture.size // 8 * 8 + 8) / 25 + BASE_DELAY_S for picture in pictures]
    clock = MediaClock()
    placed = run(clock, batches(pictures, came))
    assert clock.jumps == 0
    shown = sorted(placed, key=lambda one: one.taken_s)
    for before, after in itertools.pairwise(shown[50:]):
        assert after.placed_s - before.placed_s == pytest.approx(0.04, abs=0.001)


def test_timestamps_that_wrap_are_not_noticed() -> None:
    pictures = camera(40)
    timeline = Timeline(90_000)
    for number, picture in enumerate(pictures):
        stamp = picture.pts_ticks + (1 << 32) - 20 * 90_000 & (1 << 32) - 1
        if number:
            timeline.advance(stamp)
        else:
            timeline.begin(stamp)
        picture.pts_ticks = timeline.ticks
    clock = MediaClock()
    assert error_s(run(clock, batches(pictures, list(prompt(pictures)))), 1) < 0.01
    assert clock.jumps == 0


@pytest.mark.parametrize("fps", [25, 12, 5, 2, 1])
def test_network_that_stands_still_is_no_jump_whatever_the_rate(fps: int) -> None:
    """For three seconds nothing comes, then all of it at once."""
    for start in range(0, 40, 3):
        began_s = 10 + start / 10 + 0.003
        pictures = camera(40, lambda _: fps)
        came = [
            (began_s + 3 if began_s <= one.taken_s < began_s + 3 else one.taken_s) + BASE_DELAY_S for one in pictures
        ]
        clock = MediaClock()
        placed = run(clock, batches(pictures, came))
        assert clock.jumps == 0
        assert error_s(placed, 1) < 0.06


def test_stamps_are_gone_back_to_once_they_run_again() -> None:
    pictures = camera(60, stamp=lambda _, at: at if at > 30 else 0.0)
    clock = MediaClock()
    seen = {}
    for batch, rests in batches(pictures, list(prompt(pictures))):
        run(clock, [(batch, rests)])
        seen[batch[-1].taken_s] = clock.timed_by
    assert {how for at, how in seen.items() if 5 < at < 30} == {TimedBy.ARRIVAL}
    assert {how for at, how in seen.items() if at > 40} == {TimedBy.STAMPS}
    assert error_s(pictures, 5) < 0.15


def test_time_of_a_stamp_is_the_pictures() -> None:
    """Which is how sound finds its place beside them."""
    pictures = camera(20, stamp=lambda number, at: at + 500)
    stamps = [one.pts_ticks for one in pictures]
    clock = MediaClock()
    assert clock.taken_ns(stamps[0]) is None
    placed = run(clock, batches(pictures, list(prompt(pictures))))
    assert clock.taken_ns(stamps[-1]) == pytest.approx((placed[-1].placed_s + 1000) * NS, abs=NS // 1000)


def test_ticks_floor() -> None:
    assert [ticks_to_ns(ticks) for ticks in (0, 1, 90_000)] == [0, 11_111, NS]
    assert [ns_to_ticks(time_ns) for time_ns in (0, 11_112, NS)] == [0, 1, 90_000]


# -- Any camera on any link


def fuzzed(dice: random.Random) -> tuple[list[Picture], Iterator[float], list[tuple[float, float]]]:
    """Pictures, when they come, and when the clock may be wrong."""
    fps = dice.choice([5, 8, 12, 15, 20, 25, 30])
    dark = fps * dice.uniform(0.4, 1.0) if dice.random() < 0.4 else fps
    switch_s, set_s = dice.uniform(22, 30), dice.uniform(22, 30)
    kind = dice.choice(["true", "drift", "nominal", "still", "milliseconds", "third"])
    event = dice.choice(["", "set", "odd"]) if kind in ("true", "drift", "nominal") else ""
    drift, by_s, every = dice.uniform(0.98, 1.02), dice.choice([-1, 1]) * dice.choice([3, 20, 9000, 20_000]), 50
    said = fps * dice.uniform(1 / 3, 3)

    def stamp(number: int, at: float) -> float:
        stamps = {"drift": at * drift, "nominal": number / said, "still": 0.0, "milliseconds": at / 90, "third": at / 3}
        away = (event == "set" and at >= set_s) or (event == "odd" and number % every == every // 2)
        return stamps.get(kind, at) + by_s * away

    dark = max(dark, said / 3) if kind == "nominal" else dark
    pictures = camera(60, lambda at: dark if at > switch_s else fps, stamp)
    unsettled = [(0.0, 14.0), (switch_s - 0.5, switch_s + 8), (set_s - 0.5, set_s + 8)]
    if kind in ("still", "milliseconds") or dice.random() < 0.5:
        return pictures, prompt(pictures, dice.choice([0.005, 0.05, 0.08]), dice), unsettled
    return pictures, stalling(pictures, dice, 2.0, dice.choice([4.0, 8.0])), unsettled


@pytest.mark.parametrize("seed", range(150))
def test_any_camera_keeps_its_pictures_and_their_times(seed: int) -> None:
    dice = random.Random(seed)
    pictures, came, unsettled = fuzzed(dice)
    clock = MediaClock()
    placed = run(clock, batches(pictures, list(came), gulps=dice.random() < 0.8))
    assert placed == pictures
    assert in_order(placed)
    settled = [one for one in placed if not any(start <= one.taken_s < end for start, end in unsettled)]
    assert error_s(settled, 0) < 0.15
    for before, after in itertools.pairwise(settled):  # nothing that would be told as a gap
        assert after.placed_s - before.placed_s < after.taken_s - before.taken_s + 1


# -- This machine's clock


def test_recorder_clock_follows_small_corrections_gently() -> None:
    clock = RecorderClock(0, 1000 * NS)
    assert clock.step_ns(NS, 1001 * NS + 1000) == 0
    clock.observe(NS, 1001 * NS + 1000)
    assert clock.utc_ns(NS) == 1001 * NS + 1000
    for second in range(2, 22):
        before_ns = clock.utc_ns(second * NS)
        clock.observe(second * NS, (1000 + second) * NS - NS // 2)
        assert before_ns - clock.utc_ns(second * NS) <= NS // 20
    assert clock.utc_ns(21 * NS) == pytest.approx(1021 * NS - NS // 2, abs=1000)


@pytest.mark.parametrize("step_s", [3600, 2, -2, -3600])
def test_recorder_clock_follows_a_step_at_once_both_ways(step_s: int) -> None:
    clock = RecorderClock(0, 10_000 * NS)
    clock.observe(NS, 10_001 * NS)
    assert clock.step_ns(2 * NS, (10_002 + step_s) * NS) == step_s * NS
    clock.observe(2 * NS, (10_002 + step_s) * NS)
    assert clock.utc_ns(2 * NS) == (10_002 + step_s) * NS
    assert clock.step_ns(3 * NS, (10_003 + step_s) * NS) == 0

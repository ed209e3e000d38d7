"""Every camera of stamps.py keeps the time of its pictures, on a good link and on a bad one."""

from __future__ import annotations

import itertools
import random
from collections.abc import Callable

import pytest

from ingest.media.clock import MediaClock
from tests.cameras.stamps import HOURS, MODELS, Model, b_frames, odd
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

ERROR_S = 0.15
WIRES = {"wire": 0.004, "radio": 0.06}


def errors(model: Model, placed: list[Picture]) -> list[tuple[float, float]]:
    """(error, when) of each picture once settled, the largest last."""
    found = [
        (abs(one.placed_s - one.taken_s - BASE_DELAY_S), one.taken_s)
        for one in placed
        if one.taken_s >= model.settled_s and not any(start <= one.taken_s < end for start, end in model.unsettled)
    ]
    return sorted(found)


@pytest.mark.parametrize("gulps", [True, False])
@pytest.mark.parametrize("wire", WIRES)
@pytest.mark.parametrize("name", MODELS)
def test_every_picture_of_every_model_has_its_time(name: str, wire: str, gulps: bool) -> None:
    model, clock = MODELS[name], MediaClock()
    pictures = camera(model.seconds, model.fps, model.stamp)
    came = list(prompt(pictures, WIRES[wire], random.Random(name)))
    placed = run(clock, batches(pictures, came, gulps=gulps))
    assert placed == pictures  # each one, in order
    assert all(before.placed_s < after.placed_s for before, after in itertools.pairwise(placed))
    assert errors(model, placed)[-1] < (ERROR_S, 0)
    assert clock.timed_by.value == model.timed_by
    assert model.jumps in (-1, clock.jumps)


@pytest.mark.parametrize("name", [name for name, model in MODELS.items() if model.timed_by == "stamps"])
def test_stamps_tell_the_time_on_a_link_that_stands_still_now_and_then(name: str) -> None:
    """For up to two seconds, after which all comes at once."""
    model, clock = MODELS[name], MediaClock()
    pictures = camera(model.seconds, model.fps, model.stamp)
    placed = run(clock, batches(pictures, list(stalling(pictures, random.Random(name), 2.0, 6.0))))
    assert placed == pictures
    late = errors(model, placed)
    assert late[len(late) * 95 // 100] < (ERROR_S, 0)


ODD_STAMPS = {
    "one in fifty hours ahead": odd(50, HOURS),
    "one in fifty hours back": odd(50, -HOURS),
    "one in twenty two seconds back": odd(20, -2.0),
    "one in twenty at random": lambda n, at: at + random.Random(n // 20).uniform(-HOURS, HOURS) * (n * 7 % 20 == 3),
}


@pytest.mark.parametrize("wire", WIRES)
@pytest.mark.parametrize("name", ODD_STAMPS)
def test_odd_stamps_among_b_frames_are_no_jumps(name: str, wire: str) -> None:
    stamp, clock, dice = ODD_STAMPS[name], MediaClock(), random.Random(name)
    pictures = camera(60, stamp=lambda number, at: stamp(number, at + b_frames(number)))
    placed = run(clock, batches(pictures, list(prompt(pictures, WIRES[wire], dice))))
    assert placed == pictures
    assert clock.jumps == 0
    assert error_s(placed, 10) < ERROR_S + 0.04  # until the next one a picture's place among B-frames is not known


@pytest.mark.parametrize("name", ODD_STAMPS)
@pytest.mark.parametrize("shown", [lambda _: 0.0, b_frames])
def test_odd_stamps_on_a_link_that_is_too_slow_for_a_minute(name: str, shown: Callable[[int], float]) -> None:
    """Pictures come late then, and an odd stamp is not taken for what was missing until it came."""
    stamp, clock = ODD_STAMPS[name], MediaClock()
    pictures = camera(150, stamp=lambda number, at: stamp(number, at + shown(number)))
    came = narrow(pictures, lambda at: 150_000 if 30 < at < 90 else 2e6)
    placed = run(clock, batches(pictures, list(came)))
    assert placed == pictures
    assert error_s(placed, 10) < ERROR_S

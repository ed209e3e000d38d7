"""Simulated cameras and links for the media clock: when pictures were taken, how they are stamped, when they come."""

from __future__ import annotations

import itertools
import random
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from domain.time import NS
from ingest.access_unit import Rests
from ingest.media.clock import MediaClock, ticks_to_ns

GULP_S = 0.25
LISTENED_S = 1.0  # from the first picture on read as they come, then in gulps
BASE_DELAY_S = 0.02


@dataclass(slots=True)
class Picture:
    """One picture as a source gives it. taken_s: when it was taken really; placed_s: when the clock says it was."""

    taken_s: float
    pts_ticks: int
    size: int
    mono_ns: int = 0
    placed_s: float = 0.0


Stamp = Callable[[int, float], float]  # a picture's number and time to its stamp in seconds
Link = Callable[[Sequence[Picture]], Iterable[float]]  # when each picture comes


def camera(
    seconds: float, fps: Callable[[float], float] = lambda _: 25.0, stamp: Stamp = lambda _, at: at, *, gop: int = 25
) -> list[Picture]:
    """``fps``: by the time; pictures are stamped in 90 kHz."""
    made, at = [], 0.0
    for number in itertools.count():
        if at >= seconds:
            return made
        size = 60_000 if number % gop == 0 else 5_000 + number * 7919 % 3000
        made.append(Picture(at, round(stamp(number, at) * 90_000), size))
        at += 1.0 / fps(at)
    raise AssertionError


def prompt(pictures: Sequence[Picture], jitter_s: float = 0.0, dice: random.Random | None = None) -> Iterator[float]:
    """In order, each late by up to ``jitter_s``."""
    last = 0.0
    for picture in pictures:
        last = max(last, picture.taken_s + BASE_DELAY_S + (dice.random() * jitter_s if dice else 0.0))
        yield last


def stalling(pictures: Sequence[Picture], dice: random.Random, longest_s: float, every_s: float) -> Iterator[float]:
    """Now and then nothing comes for up to ``longest_s``, then all at once."""
    free = dice.expovariate(1 / every_s)
    until = 0.0
    for picture in pictures:
        if picture.taken_s > free:
            until = free + dice.random() * longest_s
            free = until + dice.expovariate(1 / every_s)
        yield max(picture.taken_s, until) + BASE_DELAY_S


def narrow(pictures: Sequence[Picture], bytes_per_s: Callable[[float], float]) -> Iterator[float]:
    """A link of so many bytes a second, by the time."""
    free = 0.0
    for picture in pictures:
        free = max(free, picture.taken_s)
        free += picture.size / bytes_per_s(free)
        yield free + BASE_DELAY_S


def batches(
    pictures: Sequence[Picture], came_s: Iterable[float], *, gulps: bool = True
) -> Iterator[tuple[list[Picture], Rests]]:
    """As the native source reads them: what came together has the time of its last byte."""
    waiting: list[Picture] = []
    rests = Rests(0, 0)
    gulp, last_s, first_s = 0.0, 0.0, None
    for picture, at in zip(pictures, came_s, strict=True):
        first_s = at if first_s is None else first_s
        if waiting and (not gulps or at - first_s < LISTENED_S or at > gulp):
            yield _together(waiting, last_s), rests
            waiting = []
        if not waiting and gulps and at - first_s >= LISTENED_S:
            gulp = (at // GULP_S + 1) * GULP_S
        rests = Rests(rests.between + (at - last_s > 0.012), rests.within)
        waiting.append(picture)
        last_s = at
    yield _together(waiting, last_s), rests


def _together(waiting: list[Picture], came_s: float) -> list[Picture]:
    for picture in waiting:
        picture.mono_ns = round((1000 + came_s) * NS)
    return waiting


def run(clock: MediaClock, what: Iterable[tuple[list[Picture], Rests | None]]) -> list[Picture]:
    """All pictures, placed."""
    held: list[Picture] = []
    done: list[Picture] = []
    for batch, rests in what:
        clock.take(batch, sum(picture.size for picture in batch), rests)
        held += batch
        if clock.settled:
            for picture in held:
                picture.placed_s = ticks_to_ns(clock.place(picture.pts_ticks)) / NS - 1000
            done += held
            held = []
    return done


def error_s(pictures: Sequence[Picture], after_s: float) -> float:
    """The largest error of a picture's time once settled."""
    return max((abs(one.placed_s - one.taken_s - BASE_DELAY_S) for one in pictures if one.taken_s > after_s), default=0)

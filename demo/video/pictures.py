"""The gym that the cameras see: a still room, a clock, a door, and simple people who walk through it.

Everything that does not move is drawn once; a picture costs a copy of the room, the clock, the strip and the people.
"""

from __future__ import annotations

import queue
import random
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

import numpy as np

from demo.video import font, strip
from demo.video.canvas import Canvas, Colour, Room, fill
from demo.video.people import draw_person
from domain.access import EventKind
from domain.time import NS, seconds_to_ns

_WALK_NS: Final = 6 * NS
_LAMP_NS: Final = 2 * NS
_HELD_NS: Final = 10 * NS  # longer than a controller waits before it reports it
_NOISY_ROOMS: Final = 4
_ASIDE: Final = 0.08  # of the door from the picture's middle

_WALL: Final = Colour(150, 122, 132)
_FLOOR: Final = Colour(96, 124, 134)
_LEAF: Final = Colour(120, 110, 150)
_OUTSIDE: Final = Colour(210, 134, 122)
_LAMP: Final = {"green": Colour(160, 60, 50), "red": Colour(90, 90, 230), "off": Colour(50, 128, 128)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """A door's report, with what the report leaves out.

    person: a number that stands for who it was: the same one looks the same in every camera, every time
    people: how many pass
    held: the door stays open until it is reported as held open
    """

    kind: EventKind
    at_ns: int
    person: int = 0
    people: int = 0
    held: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class _Walk:
    start_ns: int
    inward: bool  # from the door to the viewer
    side: float  # where the way ends at the front, as a share of the width
    clothes: Colour


@dataclass(frozen=True, slots=True, kw_only=True)
class _Sign:
    """The lamp, or the open door, for a while."""

    colour: str  # "open", "green", "red"
    until_ns: int


class Scene:
    """One camera's view. ``react`` may be called from any thread; ``draw`` from one."""

    def __init__(self, number: int, name: str, size: tuple[int, int], seed: int = 1) -> None:
        self.number = number
        self.name = name
        self.size = size
        self._random = random.Random(seed * 1009 + number)
        self._reports: queue.SimpleQueue[Report] = queue.SimpleQueue()
        self._walks: list[_Walk] = []
        self._signs: list[_Sign] = []
        width, height = size
        self._scale = max(1, width // 320)
        self._top = strip.height(width)
        # Two cameras of one door look at it from two sides.
        self._mirrored = number % 2 == 0
        self._middle = 0.5 + (_ASIDE if self._mirrored else -_ASIDE)
        left, right = round(width * (self._middle - 0.06)), round(width * (self._middle + 0.06))
        self._door = (left, round(height * 0.24), right, round(height * 0.58))
        self._rooms = self._draw_rooms(seed)

    def resized(self, size: tuple[int, int]) -> Scene:
        """The same room at another size, without the people who walk in it now."""
        return Scene(self.number, self.name, size)

    def react(self, report: Report) -> None:
        """Show what a door of this camera reported."""
        self._reports.put(report)

    @property
    def walking(self) -> int:
        """People in the picture drawn last."""
        return len(self._walks)

    def draw(self, canvas: Canvas, time_ns: int) -> None:
        """The picture at ``time_ns``. The canvas has the scene's size; it is overwritten."""
        self._take_reports()
        self._walks = [walk for walk in self._walks if time_ns < walk.start_ns + _WALK_NS]
        self._signs = [sign for sign in self._signs if time_ns < sign.until_ns]
        canvas.paint(self._rooms[time_ns // 40_000_000 % _NOISY_ROOMS])
        self._draw_door(canvas)
        for walk in sorted(self._walks, key=lambda walk: self._nearness(walk, time_ns)):
            self._draw_walk(canvas, walk, time_ns)
        self._draw_clock(canvas, time_ns)
        strip.draw(canvas.luma, time_ns // 1_000_000, self.number)

    def _take_reports(self) -> None:
        while not self._reports.empty():
            report = self._reports.get()
            if report.kind in (EventKind.GRANTED, EventKind.DENIED):
                colour = "green" if report.kind is EventKind.GRANTED else "red"
                self._signs.append(_Sign(colour=colour, until_ns=report.at_ns + _LAMP_NS))
            elif report.kind is not EventKind.NOT_ENTERED:
                self._pass(report)

    def _pass(self, report: Report) -> None:
        """They follow each other by a second; going out, the door opens when they reach it.

        The person who slips through a held door walks behind the one whose card opened it.
        """
        inward, held = report.kind is not EventKind.EXIT, report.kind is EventKind.HELD_OPEN
        for place in range(report.people):
            start_ns = report.at_ns + place * NS
            self._walks.append(self._walk(report.person, place + held, start_ns, inward=inward))
        passing_ns = seconds_to_ns(2.5 if inward else 6) + (report.people - 1) * NS
        open_ns = _HELD_NS if report.held or held else passing_ns
        self._signs.append(_Sign(colour="open", until_ns=report.at_ns + open_ns))

    def _walk(self, person: int, behind: int, start_ns: int, *, inward: bool) -> _Walk:
        """Looks and way follow from the person alone. ``behind``: the one so many places after them."""
        chance = random.Random(person * 31 + behind)
        clothes = Colour(chance.randrange(40, 200), chance.randrange(60, 196), chance.randrange(60, 196))
        side = chance.choice((-1, 1)) * chance.uniform(0.5, 0.9)
        return _Walk(start_ns=start_ns, inward=inward, side=-side if self._mirrored else side, clothes=clothes)

    def _nearness(self, walk: _Walk, time_ns: int) -> float:
        """0 at the door, 1 at the front."""
        done = min(max((time_ns - walk.start_ns) / _WALK_NS, 0.0), 1.0)
        return done if walk.inward else 1.0 - done

    def _draw_walk(self, canvas: Canvas, walk: _Walk, time_ns: int) -> None:
        if time_ns < walk.start_ns:
            return
        width, height = self.size
        near = self._nearness(walk, time_ns)
        feet = self._door[3] + near * (height * 1.02 - self._door[3])
        middle = width * (self._middle + walk.side * near * near * 0.6)
        tall = height * (0.30 + 0.32 * near)
        draw_person(canvas, round(middle), round(feet), round(tall), time_ns // 150_000_000, walk.clothes)

    def _draw_door(self, canvas: Canvas) -> None:
        if not self._signs:
            return
        left, top, right, bottom = self._door
        colours = {sign.colour for sign in self._signs}
        if "open" in colours:
            fill(canvas, (left, top, right, bottom), _OUTSIDE)
            fill(canvas, (left, top, left + (right - left) // 4, bottom), _LEAF)
        lamp = "red" if "red" in colours else "green" if "green" in colours else "off"
        fill(canvas, self._lamp_box(), _LAMP[lamp])

    def _lamp_box(self) -> tuple[int, int, int, int]:
        left, top, right, _ = self._door
        middle, half = (left + right) // 2, 4 * self._scale
        return middle - half, top - 3 * half, middle + half, top - half

    def _draw_clock(self, canvas: Canvas, time_ns: int) -> None:
        moment = datetime.fromtimestamp(time_ns // NS, tz=UTC)
        line = font.text(f"{moment:%Y-%m-%d %H:%M:%S}.{time_ns // 1_000_000 % 1000:03d}", self._scale)
        top, left = self._top + 2 * self._scale, 4 * self._scale
        canvas.luma[top : top + line.shape[0], left : left + line.shape[1]] = line[:, : self.size[0] - left]

    def _draw_rooms(self, seed: int) -> list[Room]:
        """The still room with a few patterns of sensor noise over it."""
        width, height = self.size
        canvas = Canvas(width, height)
        horizon = round(height * 0.55)
        fill(canvas, (0, 0, width, horizon), _WALL)
        fill(canvas, (0, horizon, width, height), _FLOOR)
        canvas.luma[horizon:] = np.linspace(80, 130, height - horizon).astype(np.uint8)[:, None]
        self._furnish(canvas, horizon)
        fill(canvas, self._door, _LEAF)
        fill(canvas, self._lamp_box(), _LAMP["off"])
        label = font.text(f"{'':24}UTC  {self.name[:16]}", self._scale)
        left, top = 4 * self._scale, self._top + 2 * self._scale
        fill(canvas, (0, self._top, width, top + label.shape[0] + 2), Colour(font.PAPER, 128, 128))
        canvas.luma[top : top + label.shape[0], left : left + label.shape[1]] = label[:, : width - left]
        generator = np.random.default_rng(seed * 31 + self.number)
        return [canvas.room(noise=generator.integers(-1, 2, (height, width), np.int8)) for _ in range(_NOISY_ROOMS)]

    def _furnish(self, canvas: Canvas, horizon: int) -> None:
        """A mirror, and a machine or two on each side, different in every camera."""
        width, height = self.size
        fill(canvas, (width // 20, horizon // 2, width // 3, horizon - height // 20), Colour(178, 134, 124))
        for place in (0.02, 0.20, 0.66, 0.84):
            left = round(width * (place + self._random.uniform(0, 0.03)))
            foot = round(height * self._random.uniform(0.70, 0.85))
            shade = self._random.randrange(30, 70)
            fill(canvas, (left, foot - height // 16, left + width // 8, foot), Colour(shade, 128, 128))
            fill(canvas, (left, foot - height // 4, left + width // 60, foot), Colour(shade + 90, 124, 130))
            fill(canvas, (left, foot - height // 4, left + width // 24, foot - height // 5), Colour(60, 150, 110))

"""A frame of libav whose planes numpy draws on, used again for every picture."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import av
import numpy as np
import numpy.typing as npt

from demo.errors import DemoMisuseError
from demo.video.strip import Plane


class Colour(NamedTuple):
    """Luma (16..235) and the two chroma values (128 is grey)."""

    y: int
    u: int
    v: int


@dataclass(frozen=True, slots=True)
class Room:
    """The three planes of a still picture."""

    luma: Plane
    u: Plane
    v: Plane


class Canvas:
    """A yuv420p frame. The encoder may hold ``frame`` only during its call: the next picture overwrites it."""

    def __init__(self, width: int, height: int) -> None:
        if width % 2 or height % 2 or width < 320 or height < 180:
            raise DemoMisuseError(f"Pictures of {width}x{height}.", "Use even sizes of at least 320x180.")
        self.frame = av.VideoFrame(width, height, "yuv420p")
        self.luma = _plane(self.frame, 0, width, height)
        self.u = _plane(self.frame, 1, width // 2, height // 2)
        self.v = _plane(self.frame, 2, width // 2, height // 2)

    def paint(self, room: Room) -> None:
        """Cover everything with a still picture of the same size."""
        np.copyto(self.luma, room.luma)
        np.copyto(self.u, room.u)
        np.copyto(self.v, room.v)

    def room(self, noise: npt.NDArray[np.int8]) -> Room:
        """A copy of what is drawn, with ``noise`` added to the luma."""
        noisy = np.clip(self.luma.astype(np.int16) + noise, 16, 235).astype(np.uint8)
        return Room(noisy, self.u.copy(), self.v.copy())


def fill(canvas: Canvas, box: tuple[int, int, int, int], colour: Colour) -> None:
    """A filled rectangle (left, top, right, bottom); what lies outside the canvas is cut off."""
    left, top, right, bottom = (max(0, edge) for edge in box)
    canvas.luma[top:bottom, left:right] = colour.y
    canvas.u[top // 2 : bottom // 2, left // 2 : right // 2] = colour.u
    canvas.v[top // 2 : bottom // 2, left // 2 : right // 2] = colour.v


def _plane(frame: av.VideoFrame, number: int, width: int, height: int) -> Plane:
    plane = frame.planes[number]
    rows = np.frombuffer(memoryview(plane), np.uint8).reshape(-1, plane.line_size)
    return rows[:height, :width]

"""Boxes in pixels, half-open: [left, right) and [top, bottom). Pure."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Final

BOX_MAX: Final = 1 << 16
"""No coordinate of a picture is larger."""


@dataclass(frozen=True, slots=True)
class Box:
    """Whole pixels of the picture. It may reach beyond the picture until it is ``clipped()``."""

    left: int
    top: int
    right: int
    bottom: int

    @property
    def sides(self) -> tuple[int, int, int, int]:
        """Left, top, right, bottom."""
        return self.left, self.top, self.right, self.bottom

    @property
    def width(self) -> int:
        """Pixels; 0 when the box is empty."""
        return max(0, self.right - self.left)

    @property
    def height(self) -> int:
        """Pixels; 0 when the box is empty."""
        return max(0, self.bottom - self.top)

    @property
    def area(self) -> int:
        """Pixels."""
        return self.width * self.height

    def common(self, other: Box) -> Box:
        """What lies in both; its area is 0 when they do not meet."""
        return Box(
            max(self.left, other.left),
            max(self.top, other.top),
            min(self.right, other.right),
            min(self.bottom, other.bottom),
        )

    def overlap(self, other: Box) -> float:
        """The common area as a share of the area of both together (intersection over union)."""
        common = self.common(other).area
        return common / ((self.area + other.area - common) or 1)

    def covered(self, other: Box) -> float:
        """The share of this box that lies in the other."""
        return self.common(other).area / (self.area or 1)

    def grown(self, share: float, least: int = 0) -> Box:
        """Larger on each side by a share of its width and height, and by at least so many pixels."""
        x, y = max(least, round(self.width * share)), max(least, round(self.height * share))
        return Box(self.left - x, self.top - y, self.right + x, self.bottom + y)

    def clipped(self, width: int, height: int) -> Box:
        """The part in a picture of this size."""
        return self.common(Box(0, 0, width, height))

    def evened(self) -> Box:
        """Outwards to even pixels: a sample of colour stands for two by two of them (4:2:0)."""
        return Box(self.left // 2 * 2, self.top // 2 * 2, -(-self.right // 2) * 2, -(-self.bottom // 2) * 2)


def between(first: Box, last: Box, done: Fraction) -> Box:
    """On the straight way from one box to the other; ``done``: 0 at the first, 1 at the last."""

    def way(start: int, end: int) -> int:
        return round(start + (end - start) * done)

    return Box(
        way(first.left, last.left),
        way(first.top, last.top),
        way(first.right, last.right),
        way(first.bottom, last.bottom),
    )

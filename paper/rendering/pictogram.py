"""A surveillance camera, drawn once as polygons and circles, for SVG and for PDF. Own work."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

WIDTH, HEIGHT = 120.0, 96.0


@dataclass(frozen=True, slots=True)
class Polygon:
    """Filled. Points in a frame of ``WIDTH`` x ``HEIGHT``, y downwards."""

    points: tuple[tuple[float, float], ...]


@dataclass(frozen=True, slots=True)
class Circle:
    """Filled; ``hollow`` shows what is behind the camera."""

    x: float
    y: float
    radius: float
    hollow: bool


SHAPES: Final[tuple[Polygon | Circle, ...]] = (
    Polygon(((8, 24), (92, 3), (94.5, 13), (10.5, 34))),  # the hood
    Polygon(((13, 37), (91, 17.5), (97, 41.5), (19, 61))),  # the body
    Polygon(((93, 20), (107, 16.5), (112, 36.5), (98, 40))),  # the lens
    Circle(104.5, 27.5, 5.5, True),
    Polygon(((44, 58), (59, 54.2), (59, 82), (24, 82), (24, 70), (44, 70))),  # the arm
    Polygon(((12, 62), (24, 62), (24, 90), (12, 90))),  # the plate on the wall
    Circle(30, 45.5, 3.5, True),  # the light that says it records
)


def svg(label: str) -> str:
    """An SVG element; ``label`` is what a screen reader says, escaped by the caller."""
    parts = [
        f'<svg class="camera" viewBox="0 0 {WIDTH:g} {HEIGHT:g}" role="img" aria-label="{label}" '
        'xmlns="http://www.w3.org/2000/svg">'
    ]
    for shape in SHAPES:
        if isinstance(shape, Polygon):
            points = " ".join(f"{x:g},{y:g}" for x, y in shape.points)
            parts.append(f'<polygon points="{points}" fill="currentColor"/>')
        else:
            fill = "var(--ground)" if shape.hollow else "currentColor"
            parts.append(f'<circle cx="{shape.x:g}" cy="{shape.y:g}" r="{shape.radius:g}" style="fill: {fill}"/>')
    return "".join([*parts, "</svg>"])

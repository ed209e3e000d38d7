"""The camera: its shapes lie in its frame, and the SVG is whole and says what it shows."""

from __future__ import annotations

from xml.etree import ElementTree

from paper.rendering.pictogram import HEIGHT, SHAPES, WIDTH, Circle, Polygon, svg


def test_shapes_lie_in_the_frame() -> None:
    for shape in SHAPES:
        points = shape.points if isinstance(shape, Polygon) else ((shape.x, shape.y),)
        edge = shape.radius if isinstance(shape, Circle) else 0
        assert all(edge <= x <= WIDTH - edge and edge <= y <= HEIGHT - edge for x, y in points)


def test_svg_is_well_formed_and_named() -> None:
    root = ElementTree.fromstring(svg("Kamera"))
    assert root.attrib["aria-label"] == "Kamera" and root.attrib["role"] == "img"
    assert len(root) == len(SHAPES)

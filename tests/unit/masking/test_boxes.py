"""Boxes in whole pixels."""

from __future__ import annotations

from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from masking.boxes import Box, between

_SIDES = st.integers(-50, 200)
BOXES = st.builds(Box, _SIDES, _SIDES, _SIDES, _SIDES)


def test_overlap_of_known_boxes() -> None:
    one, other = Box(0, 0, 10, 10), Box(5, 0, 15, 10)
    assert one.overlap(other) == 50 / 150
    assert one.covered(other) == 0.5
    assert one.overlap(Box(20, 20, 30, 30)) == 0
    assert Box(3, 3, 3, 9).overlap(one) == 0  # an empty one


def test_box_grows_by_a_share_and_at_least_by_some_pixels() -> None:
    assert Box(10, 10, 30, 50).grown(0.1) == Box(8, 6, 32, 54)
    assert Box(10, 10, 12, 12).grown(0.1, 4) == Box(6, 6, 16, 16)


@given(BOXES)
def test_evened_box_holds_the_box(box: Box) -> None:
    even = box.evened()
    assert not any(side % 2 for side in even.sides)
    assert even.common(box) == box
    assert max(abs(a - b) for a, b in zip(even.sides, box.sides, strict=True)) <= 1


@given(BOXES, st.integers(1, 100), st.integers(1, 100))
def test_clipped_box_lies_in_the_picture(box: Box, width: int, height: int) -> None:
    clipped = box.clipped(width, height)
    assert clipped.area == 0 or Box(0, 0, width, height).common(clipped) == clipped


@given(BOXES, BOXES)
def test_way_between_boxes_begins_and_ends_at_them(first: Box, last: Box) -> None:
    assert between(first, last, Fraction(0)) == first
    assert between(first, last, Fraction(1)) == last

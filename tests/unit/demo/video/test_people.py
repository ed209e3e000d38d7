"""People are drawn where they stand, and cut off at the canvas' edges."""

from __future__ import annotations

import numpy as np
import pytest

from demo.video.canvas import Canvas, Colour
from demo.video.people import draw_person

CLOTHES = Colour(200, 90, 90)


def blank() -> Canvas:
    """A new canvas holds whatever was in its memory."""
    canvas = Canvas(320, 180)
    canvas.luma[:] = 0
    return canvas


def drawn(middle: int, feet: int, tall: int = 60, step: int = 0) -> np.ndarray:
    canvas = blank()
    before = canvas.luma.copy()
    draw_person(canvas, middle, feet, tall, step, CLOTHES)
    rows, columns = np.nonzero(canvas.luma != before)
    return np.array([rows.min(), rows.max(), columns.min(), columns.max()]) if len(rows) else np.array([])


def test_person_stands_on_its_feet_around_its_middle() -> None:
    top, bottom, left, right = drawn(160, 150)
    assert bottom in range(146, 150)
    assert bottom - top in range(54, 61)
    assert abs((left + right) / 2 - 160) < 4


def test_legs_swing_from_step_to_step() -> None:
    def picture(step: int) -> np.ndarray:
        canvas = blank()
        draw_person(canvas, 160, 150, 60, step, CLOTHES)
        return canvas.luma

    assert not np.array_equal(picture(0), picture(1))
    assert np.array_equal(picture(0), picture(4))


@pytest.mark.parametrize(("middle", "feet"), [(0, 150), (320, 150), (160, 20), (160, 200), (5, 10)])
def test_person_at_an_edge_is_cut_off(middle: int, feet: int) -> None:
    top, bottom, left, right = drawn(middle, feet)
    assert 0 <= top <= bottom < 180
    assert 0 <= left <= right < 320


@pytest.mark.parametrize(("middle", "feet"), [(-100, 150), (500, 150), (160, -5), (160, 400)])
def test_person_outside_draws_nothing(middle: int, feet: int) -> None:
    assert len(drawn(middle, feet)) == 0

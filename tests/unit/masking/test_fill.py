"""What is under a mask is gone: property over pictures that differ there alone."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from masking.boxes import Box
from masking.fill import cut_from, paint

_W, _H = 32, 24
_SIDE_X, _SIDE_Y = st.integers(0, _W // 2), st.integers(0, _H // 2)


@given(st.lists(st.tuples(_SIDE_X, _SIDE_Y, _SIDE_X, _SIDE_Y), min_size=1, max_size=3), st.integers(0, 2**32 - 1))
def test_pictures_that_differ_under_masks_alone_become_the_same(
    sides: list[tuple[int, int, int, int]], seed: int
) -> None:
    boxes = [Box(*(2 * side for side in each)) for each in sides]
    random = np.random.default_rng(seed)
    one = random.integers(0, 256, (_H * 3 // 2, _W), np.uint8)
    other = one.copy()
    for number, plane in enumerate(cut_from(other, _W, _H)):
        for box in boxes:
            half = 2 if number else 1
            area = plane[box.top // half : box.bottom // half, box.left // half : box.right // half]
            area[...] = random.integers(0, 256, area.shape, np.uint8)
    before = one.copy()
    for picture in (one, other):
        paint(cut_from(picture, _W, _H), boxes)
    assert (one == other).all()
    changed = cut_from(one != before, _W, _H)[0]
    outside = np.ones((_H, _W), bool)
    for box in boxes:
        outside[box.top : box.bottom, box.left : box.right] = False
    assert not (changed & outside).any()  # and nothing else is painted

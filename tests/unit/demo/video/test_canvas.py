"""A canvas has a size that can be coded."""

from __future__ import annotations

import pytest

from demo.errors import DemoMisuseError
from demo.video.canvas import Canvas


@pytest.mark.parametrize("size", [(641, 360), (160, 90)])
def test_canvas_of_a_size_that_cannot_be_coded_is_refused(size: tuple[int, int]) -> None:
    with pytest.raises(DemoMisuseError):
        Canvas(*size)

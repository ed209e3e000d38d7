"""The person detector, on Debian's film of persons who walk (package opencv-doc) where it is installed."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from benchmarks.load.people import MARKS, film_of_persons
from masking.boxes import Box
from masking.detectors.persons import Persons

pytest.importorskip("cv2")


def test_grey_or_tiny_picture_has_no_person() -> None:
    persons = Persons()
    assert persons(np.full((360, 640, 3), 128, np.uint8)) == []
    assert persons(np.zeros((20, 20, 3), np.uint8)) == []


def test_persons_of_a_film_are_found() -> None:
    import av

    path: Path | None = film_of_persons()
    if path is None:
        pytest.skip("opencv-doc is not installed")
    marked = [Box(*box) for box in json.loads(MARKS.read_text())["frames"]["90"]]
    with av.open(path) as container:
        picture = next(f for n, f in enumerate(container.decode(video=0)) if n == 90).to_ndarray(format="bgr24")
    found = Persons()(picture)
    assert sum(any(mark.overlap(box) > 0.3 for box in found) for mark in marked) >= 4

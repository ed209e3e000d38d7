"""The face detector: its answers as boxes, and files that are none."""

from __future__ import annotations

import math

import numpy as np
import pytest

from masking.boxes import Box
from masking.detectors.faces import Faces, body_of, decoded
from masking.detectors.models import face_model
from masking.errors import ModelMissingError


def test_planted_face_is_where_the_maps_say() -> None:
    heat, scale, offset = (np.zeros((1, count, 20, 30), np.float32) for count in (1, 2, 2))
    heat[0, 0, 5, 10] = 0.9
    scale[0, :, 5, 10] = math.log(6), math.log(5)  # height and width, in cells of four pixels
    offset[0, :, 5, 10] = 0.25, -0.25
    boxes, likely = decoded(heat, scale, offset)
    assert likely.tolist() == pytest.approx([0.9])
    assert boxes[0].tolist() == pytest.approx([41 - 10, 23 - 12, 41 + 10, 23 + 12], abs=0.01)


def test_body_holds_its_face() -> None:
    face = Box(100, 40, 130, 80)
    assert face.covered(body_of(face)) == 1


def test_file_that_is_no_such_network_is_refused() -> None:
    pytest.importorskip("cv2")
    with pytest.raises(ModelMissingError, match="CenterFace"):
        Faces(b"no network")


def test_grey_picture_has_no_face_whatever_its_size() -> None:
    pytest.importorskip("cv2")
    faces = Faces(face_model())
    for size in ((120, 160), (360, 640), (240, 320)):
        assert faces(np.full((*size, 3), 128, np.uint8)) == []

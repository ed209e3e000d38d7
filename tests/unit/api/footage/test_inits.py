"""Inits that were read: by camera and hash, the oldest forgotten."""

from __future__ import annotations

import uuid

from api.footage.inits import KEPT, Inits
from domain.ids import CameraId


def test_init_is_known_for_its_camera_and_hash_only() -> None:
    inits, one, other = Inits(), CameraId(uuid.uuid4()), CameraId(uuid.uuid4())
    inits.put(one, b"hash", b"init")
    assert inits.get(one, b"hash") == b"init"
    assert inits.get(other, b"hash") is None
    assert inits.get(one, b"another") is None
    assert inits.get(one, None) is None


def test_number_of_inits_is_bounded_and_the_oldest_goes() -> None:
    inits, camera = Inits(), CameraId(uuid.uuid4())
    for number in range(KEPT + 1):
        inits.put(camera, b"%d" % number, b"init")
    assert inits.get(camera, b"0") is None
    assert inits.get(camera, b"1") == b"init"
    assert inits.get(camera, b"%d" % KEPT) == b"init"

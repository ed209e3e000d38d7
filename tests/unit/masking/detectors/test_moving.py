"""What differs from the still background."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from masking.boxes import Box
from masking.detectors.moving import STRETCH, Moving

pytest.importorskip("cv2")
_ROOM = np.random.default_rng(1).integers(80, 150, (180, 320, 3), np.uint8)


def _found(pictures: list[Any]) -> dict[int, list[Box]]:
    moving = Moving()
    found = [each for number, picture in enumerate(pictures) for each in moving.push(number, picture)]
    return dict(found + list(moving.flush()))


def _with(box: Box, value: int = 10) -> Any:
    picture = _ROOM.copy()
    picture[box.top : box.bottom, box.left : box.right] = value
    return picture


def test_person_who_walks_is_found_in_every_picture() -> None:
    at = [Box(5 * number, 60, 5 * number + 12, 100) for number in range(50)]
    found = _found([_with(box) for box in at])
    assert all(any(box.covered(seen) > 0.95 for seen in found[number]) for number, box in enumerate(at))


def test_person_who_stands_still_for_a_while_is_found_while_standing() -> None:
    stays = Box(100, 60, 112, 100)
    found = _found([_ROOM] * 30 + [_with(stays)] * 20 + [_ROOM] * 30)
    assert all(any(stays.covered(seen) > 0.95 for seen in found[number]) for number in range(30, 50))


def test_still_room_with_noise_and_changing_light_moves_nowhere() -> None:
    random = np.random.default_rng(2)
    pictures = [
        (_ROOM.astype(int) + random.integers(-4, 5, _ROOM.shape) + [25 * (number > 20), 0, 0])
        .clip(0, 255)
        .astype(np.uint8)
        for number in range(40)
    ]
    assert not any(_found(pictures).values())


def test_clothes_as_bright_as_the_wall_are_found_by_their_colour() -> None:
    plain = np.full((180, 320, 3), 128, np.uint8)
    coloured = plain.copy()
    coloured[60:100, 100:112, 1] = 160
    found = _found([plain] * 10 + [coloured] * 3 + [plain] * 10)
    assert found[11]


def test_long_clip_is_gone_through_in_stretches() -> None:
    moving = Moving()
    early = [each for number in range(STRETCH) for each in moving.push(number, _ROOM)]
    assert [frame for frame, _ in early] == list(range(STRETCH))
    assert list(moving.flush()) == []

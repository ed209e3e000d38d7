"""Masked films in memory: bounded, for an hour."""

from __future__ import annotations

import uuid

import pytest

from api.errors import MaskedTooLargeError
from api.masked.films import KEPT_NS, Film, Films
from domain.ids import CameraId

ONE, OTHER = uuid.uuid4(), uuid.uuid4()
LEFT, RIGHT = CameraId(uuid.uuid4()), CameraId(uuid.uuid4())


def film(size: int) -> Film:
    return Film(data=bytes(size), source_bytes=7)


def test_film_is_kept_by_export_attempt_and_camera() -> None:
    films = Films(lambda: 0, 100)
    films.add(ONE, 1, LEFT, film(10))
    assert films.find(ONE, 1, LEFT) == film(10)
    assert [films.find(*key) for key in ((ONE, 2, LEFT), (ONE, 1, RIGHT), (OTHER, 1, LEFT))] == [None] * 3
    films.clear()
    assert films.find(ONE, 1, LEFT) is None


def test_film_is_forgotten_after_an_hour() -> None:
    now = [0]
    films = Films(lambda: now[0], 100)
    films.add(ONE, 1, LEFT, film(10))
    now[0] = KEPT_NS - 1
    assert films.find(ONE, 1, LEFT) is not None
    now[0] = KEPT_NS
    assert films.find(ONE, 1, LEFT) is None


def test_oldest_of_other_exports_makes_room_and_one_too_large_is_refused() -> None:
    films = Films(lambda: 0, 100)
    films.add(OTHER, 1, LEFT, film(60))
    films.add(ONE, 1, LEFT, film(40))
    films.add(ONE, 1, RIGHT, film(60))
    assert films.find(OTHER, 1, LEFT) is None
    assert films.find(ONE, 1, LEFT) is not None
    with pytest.raises(MaskedTooLargeError):
        films.add(ONE, 1, CameraId(uuid.uuid4()), film(1))


async def test_film_is_read_whole() -> None:
    made = Film(data=bytes(range(256)) * 9000, source_bytes=1)
    assert b"".join([bytes(piece) async for piece in made.stream()]) == made.data
    assert made.size_bytes == len(made.data)

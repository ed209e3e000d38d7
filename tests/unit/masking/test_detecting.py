"""When the detectors are asked, and what becomes of their answers. No model is needed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from masking.boxes import Box
from masking.covering import masked_boxes
from masking.detecting import Finders, detect
from masking.tracks import Source, Tracks


@dataclass(frozen=True)
class _Frame:
    index: int

    def picture(self) -> Any:
        return self.index

    def small(self) -> Any:
        return np.zeros((90, 160, 3), np.uint8)


class _Still:
    """Tells what moved at the end alone, as the real one does."""

    def __init__(self, *moved: tuple[int, list[Box]]) -> None:
        self._moved = moved
        self.asked: list[int] = []

    def push(self, frame: int, small: Any) -> Iterator[tuple[int, list[Box]]]:
        self.asked.append(frame)
        return iter(())

    def flush(self) -> Iterator[tuple[int, list[Box]]]:
        return iter(self._moved)


def _detected(persons: dict[int, Box], faces: dict[int, Box], moving: _Still | None = None) -> Tracks:
    finders = Finders(
        faces=lambda frame: [faces[frame]] if frame in faces else [],
        persons=lambda frame: [persons[frame]] if frame in persons else [],
        moving=moving or _Still(),
    )
    return detect((_Frame(index) for index in range(40)), (640, 360), 10.0, finders)


def test_person_is_masked_in_the_frames_that_were_not_looked_at() -> None:
    tracks = _detected({8: Box(100, 100, 150, 220), 12: Box(120, 100, 170, 220)}, {})
    assert [(track.source, track.first, track.last) for track in tracks.tracks] == [(Source.PERSON, 8, 12)]
    assert Box(110, 100, 160, 220).covered(masked_boxes(tracks, 10)[0]) == 1


def test_body_under_a_lone_face_is_masked_too() -> None:
    face = Box(300, 60, 330, 100)
    lone = _detected({}, {4: face})
    assert {track.source for track in lone.tracks} == {Source.FACE, Source.PERSON}
    body = next(track for track in lone.tracks if track.source is Source.PERSON).sightings[0].box
    assert body.height > 5 * face.height
    with_body = _detected({4: Box(280, 50, 350, 300)}, {4: face})
    assert [t.sightings[0].box for t in with_body.tracks if t.source is Source.PERSON] == [Box(280, 50, 350, 300)]


def test_what_moves_is_enlarged_to_the_picture() -> None:
    moving = _Still((0, [Box(1, 2, 11, 12)]), (2, [Box(2, 2, 12, 12)]))
    (track,) = _detected({}, {}, moving).tracks
    assert track.source is Source.MOVING
    assert track.sightings[0].box == Box(4, 8, 44, 48)
    assert moving.asked == list(range(0, 40, 2))


def test_tracks_know_the_number_of_frames() -> None:
    found = _detected({}, {})
    assert (found.frames, found.tracks, found.width, found.height) == (40, (), 640, 360)

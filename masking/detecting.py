"""First step: frames in, tracks out. What finds things is handed in; this says when it is asked, and joins answers."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Final, Protocol

from masking.boxes import Box
from masking.detectors.faces import body_of
from masking.linking import Linker
from masking.tracks import Source, Track, Tracks

Finder = Callable[[Any], list[Box]]
_EVERY_S: Final = {Source.FACE: 0.4, Source.PERSON: 0.4, Source.MOVING: 0.16}
_GAP_S: Final = {Source.FACE: 2.0, Source.PERSON: 3.0, Source.MOVING: 0.5}
_OVERLAP: Final = {Source.FACE: 0.1, Source.PERSON: 0.2, Source.MOVING: 0.1}
_ON_BODY: Final = 0.7


class Frame(Protocol):
    """A decoded picture; ``index`` counts from 0."""

    @property
    def index(self) -> int:
        """In the order of showing."""

    def picture(self) -> Any:
        """Rows, columns, BGR."""

    def small(self) -> Any:
        """Rows, columns, YUV; the picture's shape, at most moving.WIDTH wide."""


class Movement(Protocol):
    """See masking.detectors.moving."""

    def push(self, frame: int, small: Any) -> Iterable[tuple[int, list[Box]]]:
        """What was found by now, as (frame, boxes)."""

    def flush(self) -> Iterable[tuple[int, list[Box]]]:
        """The rest."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finders:
    """What is asked. All are handed in, so that a test needs no model."""

    faces: Finder
    persons: Finder
    moving: Movement


def detect(frames: Iterable[Frame], size: tuple[int, int], fps: float, finders: Finders) -> Tracks:
    """All tracks of a clip; ``frames`` are gone through once, in the order in which they are shown."""
    steps = {source: max(1, round(fps * each)) for source, each in _EVERY_S.items()}
    links = {
        source: Linker(gap=max(steps[source], round(fps * _GAP_S[source])), overlap=_OVERLAP[source])
        for source in steps
    }
    count, factor = 0, (1.0, 1.0)
    for frame in frames:
        count = frame.index + 1
        if frame.index % steps[Source.MOVING] == 0:
            small = frame.small()
            factor = size[0] / small.shape[1], size[1] / small.shape[0]
            for at, boxes in finders.moving.push(frame.index, small):
                links[Source.MOVING].push(at, [_enlarged(box, factor) for box in boxes])
        if frame.index % steps[Source.PERSON] == 0:
            picture = frame.picture()
            faces, persons = finders.faces(picture), finders.persons(picture)
            links[Source.FACE].push(frame.index, faces)
            links[Source.PERSON].push(frame.index, persons + _bodies(faces, persons, size))
    for at, boxes in finders.moving.flush():
        links[Source.MOVING].push(at, [_enlarged(box, factor) for box in boxes])
    chains = [(source, chain) for source, link in links.items() for chain in link.chains()]
    tracks = tuple(
        Track(track_id=number, source=source, sightings=chain) for number, (source, chain) in enumerate(chains, start=1)
    )
    return Tracks(width=size[0], height=size[1], frames=count, fps=fps, tracks=tracks)


def _bodies(faces: list[Box], persons: list[Box], size: tuple[int, int]) -> list[Box]:
    """Under faces on which no person was found."""
    lone = [face for face in faces if not any(face.covered(person) >= _ON_BODY for person in persons)]
    return [body_of(face).clipped(*size) for face in lone]


def _enlarged(box: Box, factor: tuple[float, float]) -> Box:
    x, y = factor
    return Box(int(box.left * x), int(box.top * y), -int(-box.right * x // 1), -int(-box.bottom * y // 1))

"""Which boxes are masked in a frame: between sightings, before the first, after the last, without who is cleared. Pure.

A mask is a promise about frames in which the detector was not asked or saw nothing, so it errs to the large side.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Final

from masking.boxes import Box, between
from masking.tracks import Source, Track, Tracks

MARGIN: Final = {Source.FACE: 0.35, Source.PERSON: 0.12, Source.MOVING: 0.12, Source.STAFF: 0.0}
"""By what share of its size a box grows on each side: hair, hands, and the way that is no straight line."""
LEAST_PIXELS: Final = 4
EXTENSION_S: Final = {Source.FACE: 1.0, Source.PERSON: 1.0, Source.MOVING: 0.4, Source.STAFF: 0.0}
"""So long is it masked before the first and after the last sighting; what staff drew holds as drawn."""
WIDER_PER_S: Final = 0.25
"""In that time it may go any way: the box grows by this share of its size for each second."""


@dataclass(frozen=True, slots=True)
class Clearing:
    """A track that is not masked, in frames [first, end)."""

    track_id: int
    first: int
    end: int


def masked_boxes(tracks: Tracks, frame: int, cleared: Collection[Clearing] = ()) -> list[Box]:
    """All that is masked in one frame, clipped to the picture, on even pixels. See ``Cover`` for many frames."""
    return Cover(tracks, cleared).boxes(frame)


class Cover:
    """Masks by frame. The mask of another track holds where it overlaps the cleared one: the other is masked there."""

    def __init__(self, tracks: Tracks, cleared: Collection[Clearing] = ()) -> None:
        self._size = tracks.width, tracks.height
        self._fps = tracks.fps
        self._cleared = tuple(cleared)
        self._by_second: dict[int, list[tuple[Track, Sequence[int]]]] = {}
        self._frames_per_bin = max(1, round(tracks.fps))
        for track in tracks.tracks:
            reach = self._reach(track)
            frames = [at.frame for at in track.sightings]
            first, last = max(0, track.first - reach), min(tracks.frames - 1, track.last + reach)
            for number in range(first // self._frames_per_bin, last // self._frames_per_bin + 1):
                self._by_second.setdefault(number, []).append((track, frames))

    def boxes(self, frame: int) -> list[Box]:
        """What is masked in this frame."""
        found = []
        for track, frames in self._by_second.get(frame // self._frames_per_bin, ()):
            if any(c.track_id == track.track_id and c.first <= frame < c.end for c in self._cleared):
                continue
            box = self._box(track, frames, frame)
            if box is not None and (clipped := box.clipped(*self._size)).area:
                found.append(clipped.evened())
        return found

    def _box(self, track: Track, frames: Sequence[int], frame: int) -> Box | None:
        margin, least = MARGIN[track.source], 0 if track.source is Source.STAFF else LEAST_PIXELS
        away = max(track.first - frame, frame - track.last, 0)
        if away > self._reach(track):
            return None
        if away:
            box = track.sightings[0 if frame < track.first else -1].box
            return box.grown(margin + WIDER_PER_S * away / self._fps, least)
        before = bisect_right(frames, frame) - 1
        if frames[before] == frame:
            return track.sightings[before].box.grown(margin, least)
        one, other = track.sightings[before], track.sightings[before + 1]
        return between(one.box, other.box, Fraction(frame - one.frame, other.frame - one.frame)).grown(margin, least)

    def _reach(self, track: Track) -> int:
        return -int(-EXTENSION_S[track.source] * self._fps // 1)  # whole frames, rounded up


def together(tracks: Tracks, track_id: int) -> frozenset[int]:
    """The track and those that lie in it most of their time: face and movement of the same person, to clear at once."""
    main = next((track for track in tracks.tracks if track.track_id == track_id), None)
    if main is None:
        return frozenset()
    cover = Cover(tracks)
    frames = [at.frame for at in main.sightings]
    found = {track_id}
    for track in tracks.tracks:
        inside = 0
        for at in track.sightings:
            box = cover._box(main, frames, at.frame)
            inside += box is not None and at.box.covered(box) >= _INSIDE
        if 2 * inside > len(track.sightings):
            found.add(track.track_id)
    return frozenset(found)


_INSIDE: Final = 0.8
